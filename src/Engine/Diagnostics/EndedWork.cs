namespace Varve.Diagnostics;

/// <summary>A piece of work that has ended, and waits to be reported.</summary>
/// <param name="Work">The kind of work.</param>
/// <param name="Duration">Its duration.</param>
/// <param name="Error">The type of the exception that ended it, or null.</param>
/// <param name="Span">What a span shows of it; null if no listener asked for spans.</param>
internal readonly record struct EndedWork(Work Work, TimeSpan Duration, string? Error, WorkSpan? Span);
