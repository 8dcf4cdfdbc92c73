namespace Varve.Format;

/// <summary>
/// Decodes a chunk: a concatenation of <c>Entry</c> messages, each after its length as a varint. No allocation and no
/// copy: what it gives are offsets into the chunk.
/// <code>
/// message Entry {                             message WriteCommand { oneof operation {
///   uint64 index = 1;                           Insert insert = 1;
///   uint64 term = 2;                            Delete delete = 2;
///   EntryPayload payload = 3;                   CompareAndSwap compare_and_swap = 3;
///   uint64 timestamp_ms = 15; }                 CompareAndDelete compare_and_delete = 14;
///                                               Renew renew = 15; } }
/// message EntryPayload { oneof payload {
///   Noop noop = 1;                            message Insert { bytes key = 1; bytes value = 2; uint64 ttl_secs = 3; }
///   bytes command = 2;  // a WriteCommand     message Delete { bytes key = 1; }
///   MembershipChange config = 3; } }          message CompareAndSwap { bytes key = 1;
///                                               optional bytes expected_value = 2; bytes new_value = 3;
/// message Noop {}                               uint64 ttl_secs = 15; }
///                                             message CompareAndDelete { bytes key = 1; bytes expected_value = 2; }
///                                             message Renew { bytes key = 1; uint64 ttl_secs = 2; }
///                                             message MembershipChange { oneof change {
///                                               AddNode add_node = 1; RemoveNode remove_node = 2; } }
///                                             message AddNode { uint32 node_id = 1; string address = 2; }
///                                             message RemoveNode { uint32 node_id = 1; }
/// </code>
/// The fields and operations from number 14 on are this project's; the others are d-engine's.
/// Accepts what Google's parser accepts, with the same values, if each entry has a payload and each command an
/// operation; a membership change is a no-op. Says nothing of the order of indexes or of the limits of keys and values:
/// that is the engine's.
/// </summary>
internal ref struct ChunkReader(ReadOnlySpan<byte> chunk)
{
    /// <summary>Bytes of the shortest entry: a payload that holds an empty no-op.</summary>
    private const int EntryMin = 4;

    private readonly ReadOnlySpan<byte> _chunk = chunk;

    /// <summary>Offset of the next entry.</summary>
    public int Position { get; private set; }

    /// <summary>True once every byte was decoded.</summary>
    public readonly bool AtEnd => Position == _chunk.Length && !Error.IsFault;

    /// <summary>
    /// Why reading stopped before the end; it has no fault when it did not. Final: the reader does not go on after
    /// it.
    /// </summary>
    public DecodeError Error { get; private set; }

    /// <summary>Decodes the next entry; false at the clean end, and on an <see cref="Error"/>.</summary>
    public bool TryRead(out WireEntry entry)
    {
        entry = default;
        var start = Position;
        if (start == _chunk.Length || Error.IsFault) return false;
        if (!WireVarint.TryRead(_chunk, ref start, out var length))
            return Fail(start, "entry length", "is cut off or longer than ten bytes");
        if ((uint)length > (uint)(_chunk.Length - start)) return Fail(Position, "entry", "runs past the chunk");

        var end = start + (int)(uint)length;
        if (!WireEntryFastPath.TryDecode(_chunk, start, end, ref entry))
        {
            if (!WireEntryDecoder.TryDecode(_chunk, start, end, ref entry, out var error))
            {
                entry = default;
                return Fail(error);
            }
        }

        Position = end;
        return true;
    }

    /// <summary>
    /// The most entries that may follow, by their lengths alone. The count ends before one that is too short to be an
    /// entry, so that a malformed chunk claims no more than a sound one of its size has.
    /// </summary>
    public readonly int CountAhead()
    {
        var count = 0;
        var at = Position;
        while (at < _chunk.Length && WireVarint.TryRead(_chunk, ref at, out var length))
        {
            if (length < EntryMin || length > (ulong)(_chunk.Length - at)) break;
            at += (int)length;
            count++;
        }

        return count;
    }

    private bool Fail(long offset, string field, string problem) => Fail(new DecodeError(offset, field, problem));

    private bool Fail(in DecodeError error)
    {
        Error = error;
        return false;
    }
}
