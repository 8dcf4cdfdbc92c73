using System.Runtime.InteropServices;
using Varve.Format;
using Varve.Memory;

namespace Varve.Memtables;

/// <content>Many inserts at once.</content>
/// <remarks>
/// One search waits for memory four or five times, each time for a line that only the one before names: that is most of what an insert
/// costs. So the searches of a group run in lanes: a lane goes on until it needs a line that is likely to be far, starts
/// loading it and lets the next lane run. Then the rows are put in place one after the other, in the caller's order. What
/// those inserts split in the meantime, a lane makes up for by walking right from the block that it found.
/// </remarks>
internal sealed unsafe partial class BlockList
{
    private const int LanesMax = 32;
    private const int NearLevels = 11;   // the towers of the top levels are few and in the cache

    private enum Stage : byte
    {
        Searching,
        Found,
        SplitAhead,
        Ready,
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Lane
    {
        public RawKey Key;
        public uint Block;
        public int Level;
        public int Shared;
        public Stage Stage;
    }

    /// <summary>As <see cref="Insert"/> for each of <paramref name="references"/> in turn.</summary>
    public void InsertAll(ReadOnlySpan<uint> references)
    {
        var lanes = stackalloc Lane[LanesMax];
        while (!references.IsEmpty)
        {
            if (references.Length < 3 || (_run != 0 && ContinuesRun(KeyOf(references[0]))))
            {
                Insert(references[0]);
                references = references[1..];
                continue;
            }

            var group = references[..Math.Min(LanesMax, references.Length)];
            Search(group, lanes);
            for (var lane = 0; lane < group.Length; lane++) Place(ref lanes[lane], group[lane]);
            references = references[group.Length..];
        }
    }

    private void Search(ReadOnlySpan<uint> group, Lane* lanes)
    {
        var running = stackalloc int[LanesMax];
        for (var lane = 0; lane < group.Length; lane++)
        {
            running[lane] = lane;
            lanes[lane] = new Lane { Key = KeyOf(group[lane]), Block = _first, Level = _height };
        }

        for (var left = group.Length; left > 0;)
        {
            for (var turn = 0; turn < left; turn++)
            {
                Step(ref lanes[running[turn]]);
                if (lanes[running[turn]].Stage == Stage.Ready) running[turn--] = running[--left];
            }
        }
    }

    private void Step(ref Lane lane)
    {
        switch (lane.Stage)
        {
            case Stage.Searching:
                Search(ref lane);
                break;
            case Stage.Found:
                PrefetchForSplit(ref lane);
                break;
            case Stage.SplitAhead:
                Prefetch.Line(OperationAt(At(At(lane.Block)->Next)->Anchor));
                lane.Stage = Stage.Ready;
                break;
        }
    }

    /// <summary>Goes on to the next far block, or to the end.</summary>
    private void Search(ref Lane lane)
    {
        var (key, block, level, shared) = (lane.Key, lane.Block, lane.Level, lane.Shared);
        var near = Math.Max(_height - NearLevels, 0);
        for (; level > 0; level--)
        {
            while (true)
            {
                var link = Tower.LinkOf(At(block), level);
                if (link->Target == 0 || !GoesOn(key, in *link, link->Target, strict: false, ref shared)) break;
                block = link->Target;
                if (level > near) continue;
                Prefetch.Line(Tower.LinkOf(At(block), level));
                (lane.Block, lane.Level, lane.Shared) = (block, level, shared);
                return;
            }
        }

        var lines = (byte*)BlockOf(block);
        for (var line = 0; line < RowBlock.Lines; line++) Prefetch.Line(lines + line * Arena.LineSize);
        (lane.Block, lane.Shared, lane.Stage) = (block, shared, Stage.Found);
    }

    /// <summary>A full block will be split: its anchor, the new one, and the neighbour's will be read.</summary>
    private void PrefetchForSplit(ref Lane lane)
    {
        var block = BlockOf(lane.Block);
        var tower = At(lane.Block);
        lane.Stage = Stage.Ready;
        if (RowOrder.Count(block->Order) < RowBlock.RowsMax) return;
        Prefetch.Line(OperationAt(tower->Anchor));
        Prefetch.Line(OperationAt(block->Rows[RowOrder.SlotOf(block->Order, RowsKeptBySplit)]));
        if (tower->Next == 0) return;
        Prefetch.Line(At(tower->Next));
        lane.Stage = Stage.SplitAhead;
    }

    private void Place(ref Lane lane, uint reference)
    {
        while (true)
        {
            var link = Tower.LinkOf(At(lane.Block), 1);
            if (link->Target == 0 || !GoesOn(lane.Key, in *link, link->Target, strict: false, ref lane.Shared)) break;
            lane.Block = link->Target;
        }

        var prior = new WalOperationView(OperationAt(reference)).Prior;
        if (prior != 0) Replace(lane.Block, prior, reference);
        else Add(lane.Block, lane.Key, reference, isRun: false);
    }
}
