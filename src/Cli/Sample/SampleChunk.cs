namespace Varve.Cli.Sample;

/// <summary>A chunk of the sample log.</summary>
/// <param name="Bytes">The chunk, as Google's protobuf encodes it.</param>
/// <param name="LastIndex">Log index of its last entry.</param>
internal readonly record struct SampleChunk(ReadOnlyMemory<byte> Bytes, ulong LastIndex);
