using Varve.Format;
using Varve.Memtables;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Recovery;

/// <summary>
/// Begins the log of an opened database at the position where replay ended: in its last segment or in a new one, as
/// <see cref="StartDecision"/> says. What has to be durable before the next record is synced here (I2, I3). One thread.
/// </summary>
/// <param name="manifest">The manifest, which names the first segment.</param>
/// <param name="log">The recovered log; null: the database has none yet.</param>
/// <param name="replay">What the log said; gets the new segment's memtable.</param>
/// <param name="supply">Makes the new segment.</param>
/// <param name="opened">Takes what is opened here.</param>
/// <param name="options">The engine's options.</param>
internal sealed class WalStart(
    ManifestStore manifest, RecoveredLog? log, WalReplayer replay, MemtableSupply supply, OpenedParts opened,
    EngineOptions options)
{
    /// <summary>For a read-only engine, which appends nothing.</summary>
    public WalWriter ForReading(string directory)
    {
        if (log is null)
            throw new FileNotFoundException(
                $"{directory}: the database has no log yet; open it for writing first.", directory);
        foreach (var segment in log.Unused)
        {
            segment.Dispose();
            opened.Drop(segment);
        }

        return new WalWriter(log.Segments[^1], replay.Position, replay.Mark, log.Synced, isSynced: false);
    }

    /// <summary>
    /// For an engine that writes. The manifest is written anew first; segments without records are recycled last.
    /// </summary>
    public WalWriter ForWriting()
    {
        manifest.BeginWriting();
        var decision = StartDecision.For(StartDecision.EndOf(log), options.Durability);
        var wal = decision.AppendsToLast ? AppendToLast(log!, decision.Sync) : BeginSegment(decision.Sync);
        foreach (var unused in log?.Unused ?? [])
        {
            opened.Drop(unused);
            supply.Segments.Recycle(unused);
        }

        return wal;
    }

    private WalWriter AppendToLast(RecoveredLog recovered, StartSync sync)
    {
        Sync(recovered, sync);
        var last = recovered.Segments[^1];
        var synced = sync == StartSync.Nothing ? recovered.Synced : last.LogEnd;
        return new WalWriter(
            last, replay.Position, replay.Mark, synced, options.Durability == Durability.Power,
            recovered.Segments.Take(recovered.Segments.Count - 1));
    }

    private WalWriter BeginSegment(StartSync sync)
    {
        var pool = supply.Segments;
        var next = opened.Add(pool.Acquire(WalMarker.SizeOf(WalRecordType.Link), pool.RestingLength));
        if (log is not null)
        {
            Sync(log, sync);
            replay.Memtables[^1].Seal(replay.Position, replay.Mark);
        }

        WalWriter.Link(next, log?.Segments[^1], replay.Position, log?.Synced ?? default);
        next.Sync();
        if (log is null)
            manifest.Append(new VersionEdit { NextFileNumber = next.Number + 1, FirstSegment = next.Number });
        var memtable = supply.Over(next);
        opened.Drop(next); // the memtable's from here on
        opened.AddReference(memtable);
        replay.Memtables.Add(memtable);
        return new WalWriter(
            next, replay.Position, replay.Mark, next.LogEnd, options.Durability == Durability.Power);
    }

    /// <summary>Marks the bytes that may not be durable as such, and syncs them if the decision says so.</summary>
    private static void Sync(RecoveredLog log, StartSync sync)
    {
        foreach (var segment in log.Segments)
        {
            segment.Redirty(
                sync == StartSync.WholeLog ? WalSegmentHeader.Size : UnsyncedFrom(segment, log.Synced), segment.End);
            if (sync != StartSync.Nothing) segment.Sync();
        }
    }

    /// <summary>The offset from which a segment is not known to be durable.</summary>
    private static long UnsyncedFrom(WalSegment segment, LogOffset synced)
    {
        if (segment.Number < synced.Segment) return segment.End;
        return segment.Number == synced.Segment ? Math.Min(synced.Offset, segment.End) : WalSegmentHeader.Size;
    }
}
