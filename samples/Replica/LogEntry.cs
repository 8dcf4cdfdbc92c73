namespace Varve.Samples.Replica;

/// <summary>An entry of the Raft log, as a library hands it over once it is committed.</summary>
/// <param name="Index">The log index.</param>
/// <param name="Term">The term.</param>
/// <param name="TimestampMs">The leader's clock when it proposed, in Unix milliseconds.</param>
/// <param name="Payload">The encoded command; empty for the library's own entries.</param>
internal sealed record LogEntry(ulong Index, ulong Term, ulong TimestampMs, byte[] Payload);
