namespace Varve.Cli.Sample;

/// <summary>The state that the sample log gives at one index.</summary>
/// <param name="At">The position.</param>
/// <param name="All">Digest of every live key.</param>
/// <param name="Libraries">Digest of the keys with <see cref="KnownAnswers.LibraryPrefix"/>.</param>
internal sealed record Mark(LogId At, StateDigest All, StateDigest Libraries);
