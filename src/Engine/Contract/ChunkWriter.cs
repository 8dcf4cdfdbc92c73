using System.Buffers;
using Varve.Format;

namespace Varve;

/// <summary>
/// Encodes entries as a chunk for <see cref="LsmStateMachine.ApplyChunk(ReadOnlySpan{byte}, Span{ApplyResult})"/>: the
/// wire format of a Raft log. For one thread at a time.
/// </summary>
/// <param name="destination">Receives the bytes; an entry is appended whole.</param>
public sealed class ChunkWriter(IBufferWriter<byte> destination)
{
    private readonly IBufferWriter<byte> _destination =
        destination ?? throw new ArgumentNullException(nameof(destination));

    /// <summary>The number of entries that were added.</summary>
    public int Count { get; private set; }

    /// <summary>Appends an entry.</summary>
    /// <param name="entry">The entry. Its limits and its place in the log are checked by the apply.</param>
    /// <exception cref="OverflowException">The encoded entry is over 2 GiB.</exception>
    public void Add(in ApplyEntry entry)
    {
        WireWriter.Write(_destination, entry.Index, entry.Term, entry.Command.ToWire(), entry.TimestampMs);
        Count++;
    }
}
