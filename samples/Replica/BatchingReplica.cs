using System.Buffers.Binary;

namespace Varve.Samples.Replica;

/// <summary>
/// A member of a group whose log entries carry many commands each. The engine's index counts commands; the position in
/// the group's log is the mark.
/// </summary>
internal sealed class BatchingReplica(LsmStateMachine engine)
{
    /// <summary>The last entry of the group's log that is applied; 0: none.</summary>
    public ulong LastOuter
    {
        get
        {
            Span<byte> mark = stackalloc byte[sizeof(ulong)];
            return engine.ReadMark(mark) == 0 ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(mark);
        }
    }

    /// <summary>Applies one entry of the group's log: all of its commands and its position, or nothing.</summary>
    public ApplyResult[] Apply(ulong outerIndex, ulong term, ulong timestampMs, IReadOnlyList<Command> commands)
    {
        if (outerIndex <= LastOuter) return []; // handed over again after a restart
        ulong next = engine.LastApplied.Index + 1;
        var chunk = commands.Select((command, at) => new ApplyEntry(next + (ulong)at, term, command, timestampMs));
        var results = new ApplyResult[commands.Count];
        Span<byte> mark = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(mark, outerIndex);
        engine.ApplyChunk(chunk.ToArray(), results, mark);
        return results;
    }
}
