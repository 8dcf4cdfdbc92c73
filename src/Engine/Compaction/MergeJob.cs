using Varve.Format;
using Varve.Iterators;
using Varve.LiveKeys;
using Varve.Memory;
using Varve.Runtime;
using Varve.Storage;
using Varve.Tables;
using Varve.Versions;

namespace Varve.Compaction;

/// <summary>
/// Carries out what the picker chose: merges neighbouring runs into one, or makes one of them as they are. One thread.
/// </summary>
/// <param name="engine">The engine that they are of.</param>
/// <param name="versions">Where runs come from and go.</param>
/// <param name="horizon">Which expired leases a merge may drop.</param>
/// <param name="between">Called now and then during a merge, with the bytes merged since the last call.</param>
internal sealed class MergeJob(EngineContext engine, VersionSet versions, LeaseHorizon horizon, Action<long> between)
{
    private const long BytesBetweenLooks = 128 << 10;

    /// <summary>Carries out a choice; false when there was no use in it any more.</summary>
    public bool Compact(DbVersion version, CompactionChoice choice)
    {
        var inputs = version.Runs[choice.First..(choice.First + choice.Count)];
        if (choice.IsMove)
        {
            return Replace(version, inputs, inputs[^1].Order, [.. inputs[1].Tables.Concat(inputs[0].Tables)
                .OrderBy(table => table.Descriptor.SmallestKey, KeyComparer.Instance)], dropTime: 0, isMerge: false);
        }

        var isBottom = choice.First + choice.Count == version.Runs.Length;
        var dropTime = isBottom ? horizon.DropTime(version) : 0;
        var bytes = inputs.Sum(run => run.Bytes);
        var tableBytes = Math.Max(engine.Options.TableBytes, bytes / Math.Max(1, engine.Options.TablesInRunMax / 2));
        using var batch = new TableSetWriter(
            versions.Storage,
            versions.Directory,
            versions.DatabaseId,
            versions.Numbers,
            version.Generation.HashSeed,
            engine.Options,
            tableBytes,
            versions.Spares,
            bytes);
        if (!Merge(version, inputs, isBottom, dropTime, batch)) return false;
        var outputs = TableHandle.OpenAll(
            versions.Storage, batch.Finish(descriptor => FileNames.Table(descriptor.Number)), engine.Options);
        engine.Counters.CompactionBytes += batch.BytesWritten;
        try
        {
            return Replace(version, inputs, inputs[0].Order, [.. outputs], dropTime, isMerge: true);
        }
        finally
        {
            outputs.ForEach(static table => table.Release());
        }
    }

    private bool Merge(DbVersion version, Run[] inputs, bool isBottom, ulong dropTime, TableSetWriter batch)
    {
        using var merge = new CompactionMerge(
            [.. inputs.Select(run => run.Tables.Select(table => table.Table).ToArray())], version.Generation.HashSeed);
        var bytes = 0L;
        while (merge.MoveNext(out var row))
        {
            var kind = row.Kind;
            var vanishes = isBottom
                && (kind == RecordKind.Tombstone || (kind == RecordKind.LeasedPut && row.Deadline <= dropTime));
            if (!vanishes) batch.Add(row);
            bytes += row.Key.Length + row.ValueLength;
            if (bytes < BytesBetweenLooks) continue;
            if (engine.State.IsStopping || versions.Current.Generation != version.Generation) return false;
            between(bytes);
            bytes = 0;
        }

        return !engine.State.IsStopping;
    }

    private bool Replace(
        DbVersion version, Run[] inputs, ulong order, TableHandle[] outputs, ulong dropTime, bool isMerge)
    {
        var change = Describe(version, inputs, outputs.Length == 0 ? null : new Run(order, outputs), dropTime);
        if (!isMerge) return versions.Commit(change);
        using (versions.EnterManifest())
        {
            if (!versions.AppendEditManifestHeld(change)) return false;
            using (versions.EnterGate())
            {
                engine.Counters.Compactions++; // before the switch: a reading that shows the merged run counts it
                versions.InstallGateHeld(change);
            }

            return true;
        }
    }

    private VersionChange Describe(DbVersion version, Run[] inputs, Run? output, ulong dropTime)
    {
        var current = versions.AcquireCurrent();
        try
        {
            return new VersionChange
            {
                Generation = version.Generation,
                RunsOut = inputs,
                RunIn = output,
                BaseState = dropTime > current.Base.CountedTimeMs
                    ? LiveKeyCounter.CountedAt(current.Runs, current.Base, dropTime)
                    : null,
                FirstSegment = current.Memtables[^1].Segment.Number,
            };
        }
        finally
        {
            current.Release();
        }
    }
}
