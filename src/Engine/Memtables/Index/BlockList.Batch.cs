using System.Runtime.InteropServices;
using Varve.Format;
using Varve.Memory;

namespace Varve.Memtables;

/// <content>The insert of a chunk's operations.</content>
/// <remarks>
/// A search waits for memory two or three times, each time for a block that only the block before it names. That is
/// most of the cost of an insert. So the searches of a group run in lanes: a lane runs until it needs a block that is
/// probably in no near cache, prefetches the block and lets the next lane run. Then the rows are inserted one after the
/// other, in the caller's order. If one of these inserts has split the block that a lane found, the lane walks right
/// from it.
/// </remarks>
internal sealed partial class BlockList
{
    private const int LanesMax = 32;
    // Levels 0 and 1 of a memtable do not fit the near caches; the levels above do.
    private const int FarLevels = 2;

    private enum Stage : byte
    {
        Searching,
        Found,
        Ready,
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Lane
    {
        public RawKey Key;
        public uint Block;
        public uint Beyond;
        public Stage Stage;
    }

    /// <summary>Inserts each of <paramref name="references"/> in turn.</summary>
    // SAFETY: the lanes are on this frame, and a group has at most as many entries as there are lanes.
    public unsafe void InsertAll(ReadOnlySpan<OperationRef> references)
    {
        var lanes = stackalloc Lane[LanesMax];
        while (!references.IsEmpty)
        {
            if (references.Length < 3 || (_run != 0 && ContinuesRun(KeyOf(references[0].Value))))
            {
                Insert(references[0].Value);
                references = references[1..];
                continue;
            }

            var group = references[..Math.Min(LanesMax, references.Length)];
            Search(group, lanes);
            for (var lane = 0; lane < group.Length; lane++)
            {
                ref var found = ref lanes[lane];
                var block = FollowNext(found.Key, strict: false, found.Block, ref found.Beyond);
                Enter(block, found.Key, group[lane].Value);
            }

            references = references[group.Length..];
        }
    }

    // SAFETY: the caller gives as many lanes as the group has entries, or more.
    private unsafe void Search(ReadOnlySpan<OperationRef> group, Lane* lanes)
    {
        for (var lane = 0; lane < group.Length; lane++)
            lanes[lane] = new Lane { Key = KeyOf(group[lane].Value), Block = _root };
        for (var isDone = false; !isDone;)
        {
            isDone = true;
            for (var lane = 0; lane < group.Length; lane++)
            {
                if (lanes[lane].Stage == Stage.Ready) continue;
                Step(ref lanes[lane]);
                isDone = false;
            }
        }
    }

    /// <summary>Runs a search up to its next far block, or to its end.</summary>
    // SAFETY: a lane's block comes from the root or from `ChildFor`, and so from the arena.
    private unsafe void Step(ref Lane lane)
    {
        if (lane.Stage == Stage.Found)
        {
            PrefetchForSplit(At(lane.Block));
            lane.Stage = Stage.Ready;
            return;
        }

        var (block, beyond) = (lane.Block, lane.Beyond);
        while (At(block)->Level is var level and > 0)
        {
            block = ChildFor(At(block), lane.Key, strict: false, ref beyond);
            if (level > FarLevels) continue;
            RowBlock.Prefetch(At(block));
            break;
        }

        (lane.Block, lane.Beyond) = (block, beyond);
        if (At(block)->Level == 0) lane.Stage = Stage.Found;
    }

    /// <summary>
    /// Prefetches what a split reads if the block is full: the later anchor of its right half, and the neighbour.
    /// </summary>
    // SAFETY: the block is of this list and full, so the slot read is in use; a prefetch touches nothing.
    private unsafe void PrefetchForSplit(RowBlock* at)
    {
        if (RowOrder.Count(at->Order) < RowBlock.RowsMax) return;
        Prefetch.Line(OperationAt(at->Rows[RowOrder.SlotOf(at->Order, RowsKeptBySplit)]));
        if (at->Next != 0) Prefetch.Line(&At(at->Next)->Anchor);
    }
}
