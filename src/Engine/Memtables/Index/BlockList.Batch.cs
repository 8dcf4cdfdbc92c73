using System.Runtime.InteropServices;
using Varve.Format;
using Varve.Memory;

namespace Varve.Memtables;

/// <content>Many inserts at once.</content>
/// <remarks>
/// One search waits for memory twice or three times, each time for a block that only the one before names: that is most
/// of what an insert costs. So the searches of a group run in lanes: a lane goes on until it needs a block that is
/// likely to be far, starts loading it and lets the next lane run. Then the rows are put in place one after the other,
/// in the caller's order. What those inserts split in the meantime, a lane makes up for by walking right from the block
/// that it found.
/// </remarks>
internal sealed partial class BlockList
{
    private const int LanesMax = 32;
    // Levels 0 and 1 of a memtable are beyond the nearer caches, those above are within.
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

    /// <summary>As <see cref="Insert"/> for each of <paramref name="references"/> in turn.</summary>
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

    /// <summary>Goes on to the next far block, or to the end.</summary>
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
    /// A full block will be split: what will be its right half's anchor is read then, and the neighbour is linked back.
    /// </summary>
    // SAFETY: the block is of this list and full, so the slot read is in use; a prefetch touches nothing.
    private unsafe void PrefetchForSplit(RowBlock* at)
    {
        if (RowOrder.Count(at->Order) < RowBlock.RowsMax) return;
        Prefetch.Line(OperationAt(at->Rows[RowOrder.SlotOf(at->Order, RowsKeptBySplit)]));
        if (at->Next != 0) Prefetch.Line(&At(at->Next)->Anchor);
    }
}
