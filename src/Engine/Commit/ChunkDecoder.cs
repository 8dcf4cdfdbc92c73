using Varve.Format;
using Varve.Memory;

namespace Varve.Commit;

/// <summary>
/// Decodes a chunk into <see cref="ChunkBuffers.Entries"/>: whole, or not at all. Used under the gate.
/// </summary>
internal sealed class ChunkDecoder(ChunkBuffers buffers)
{
    private const int DecodeAhead = 2048;

    /// <summary>Decodes an encoded chunk; the number of its entries.</summary>
    /// <exception cref="ArgumentException">The bytes are no chunk; the message names the offset.</exception>
    public int Decode(ReadOnlySpan<byte> chunk)
    {
        var reader = new ChunkReader(chunk);
        var count = 0;
        var asked = 0;
        while (true)
        {
            // An entry's length leads to the next entry, so without this each would be a cache miss of its own.
            var wanted = Math.Min(chunk.Length, reader.Position + DecodeAhead);
            asked = Math.Max(asked, reader.Position);
            if (wanted > asked) Prefetch.Span(chunk[asked..wanted]);
            asked = Math.Max(asked, wanted);
            // At most once a chunk. One more than there are entries: reading the end needs an element too.
            if (count == buffers.Entries.Length) buffers.ReserveEntries(count + reader.CountAhead() + 1);
            if (!reader.TryRead(out buffers.Entries[count])) break;
            count++;
        }

        if (!reader.AtEnd)
            throw new ArgumentException(
                $"The chunk is malformed at byte {reader.Error.Offset}: {reader.Error.Reason}.",
                WireSource.ParameterName);
        return count;
    }

    /// <summary>
    /// Copies the heads of a chunk of commands. False if the bytes of one are reached through the user's code, a
    /// <see cref="System.Buffers.MemoryManager{T}"/>, which must not run under the gate.
    /// </summary>
    /// <exception cref="ArgumentException">An entry has no known command.</exception>
    public bool TryCopyFrom(ReadOnlySpan<ApplyEntry> chunk)
    {
        buffers.ReserveEntries(chunk.Length);
        for (var i = 0; i < chunk.Length; i++)
        {
            ref readonly var entry = ref chunk[i];
            if (entry.Command.Kind > CommandKind.Renew)
                throw new ArgumentException($"Entry {i} of the chunk has no known command.", nameof(chunk));
            if (!entry.Command.IsInArrays) return false;
            buffers.Entries[i] = new WireEntry
            {
                Index = entry.Index,
                Term = entry.Term,
                TimestampMs = entry.TimestampMs,
                TtlSeconds = entry.Command.TtlSeconds,
                Kind = entry.Command.Kind,
                KeyLength = entry.Command.Key.Length,
                ValueLength = entry.Command.Value.Length,
            };
        }

        return true;
    }
}
