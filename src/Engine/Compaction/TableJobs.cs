using Varve.Format;
using Varve.Storage;
using Varve.Tables;
using Varve.Versions;

namespace Varve.Compaction;

/// <summary>What the jobs need of the engine beside its versions.</summary>
internal interface ITableJobsHost
{
    /// <summary>Makes the log durable up to the end of a memtable that is about to be flushed.</summary>
    void SyncLog();

    /// <summary>The machine's state as of a sealed memtable's end; under the gate.</summary>
    MachineState DescribeLocked(Incarnation incarnation, Wal.LogPosition position, long liveCount, ulong countedTimeMs);

    /// <summary>Called under the gate when a flush has switched versions.</summary>
    void FlushedLocked(Versions.Version replaced, Versions.Version current, Memtable memtable);

    /// <summary>The time up to which expired leases may be dropped from the bottom of a version.</summary>
    ulong DropTime(Versions.Version version);

    /// <summary>The engine is closing: abandon what can be done again.</summary>
    bool IsStopping { get; }

    /// <summary>Does a round here and now where there is no thread for it (<see cref="BackgroundSteps"/>); false where there is.</summary>
    bool TryStep();
}

/// <summary>
/// Flushes sealed memtables and compacts runs, on one background thread. A flush that comes due during a compaction is done in
/// the middle of it: they touch different ends of the version, so appliers never wait for a compaction.
/// </summary>
internal sealed class TableJobs(VersionSet versions, EngineOptions options, ITableJobsHost host)
{
    private const int RowsBetweenLooks = 1024;
    private const int RowsAtOnce = 32;
    private readonly object _progress = new();
    private StorageFullException? _blockedBy;
    private long _rounds;
    private long _failedRound;

    public long FlushBytes { get; private set; }

    public long CompactionBytes { get; private set; }

    public long Flushes { get; private set; }

    public long Compactions { get; private set; }

    /// <summary>True when the last attempt met a full disk.</summary>
    public bool IsBlocked => Volatile.Read(ref _blockedBy) is not null;

    /// <summary>One round of the background thread.</summary>
    public void Round()
    {
        lock (_progress) _rounds++;
        try
        {
            FlushAll();
            while (!host.IsStopping)
            {
                var version = versions.AcquireCurrent();
                try
                {
                    var choice = CompactionPicker.Pick(version.Runs, options);
                    if (choice.Count == 0 || !Compact(version, choice)) break;
                }
                finally
                {
                    version.Release();
                }
            }

            Volatile.Write(ref _blockedBy, null);
        }
        catch (StorageFullException e)
        {
            lock (_progress)
            {
                Volatile.Write(ref _blockedBy, e);
                _failedRound = _rounds;
            }

            throw;
        }
        finally
        {
            versions.Reclaimer.Collect();
            WakeWaiters();
        }
    }

    /// <summary>Flushes what is sealed and merges everything into one run; on the background thread.</summary>
    public void CompactEverything()
    {
        FlushAll();
        var version = versions.AcquireCurrent();
        try
        {
            var choice = CompactionPicker.PickAll(version.Runs);
            if (choice.Count > 0) Compact(version, choice);
        }
        finally
        {
            version.Release();
            versions.Reclaimer.Collect();
        }
    }

    /// <summary>Waits until at most <paramref name="sealedMax"/> memtables wait for their flush, or there is no point in waiting.</summary>
    public void WaitForRoom(int sealedMax, Func<bool> isOver)
    {
        lock (_progress)
        {
            var round = _rounds;
            while (versions.Current.Memtables.Length - 1 > sealedMax && !isOver())
            {
                // Only an attempt begun since says that the disk is still full.
                if (_failedRound > round && Volatile.Read(ref _blockedBy) is { } full) throw new StorageFullException(full.Path, full);
                if (!host.TryStep()) Monitor.Wait(_progress, 100);
            }
        }
    }

    public void WakeWaiters()
    {
        lock (_progress) Monitor.PulseAll(_progress);
    }

    /// <summary>Flushes sealed memtables, oldest first.</summary>
    public void FlushAll()
    {
        while (!host.IsStopping && versions.Current.Memtables.Length > 1)
        {
            var version = versions.AcquireCurrent();
            try
            {
                if (version.Memtables.Length > 1) Flush(version, version.Memtables[^1]);
            }
            finally
            {
                version.Release();
            }

            versions.Reclaimer.Collect();
            WakeWaiters();
        }
    }

    private void Flush(Versions.Version version, Memtable memtable)
    {
        var last = memtable.Last!.Value;
        if (version.Incarnation.Applied.Read().Index < last.Index) host.SyncLog(); // what is not published must not get into tables
        using var batch = new TableBatch(
            versions.Storage, versions.Directory, versions.DatabaseId, versions.Numbers, options, long.MaxValue, TableWriter.WriteBytesPassing);
        WriteRows(version, memtable, batch);
        var (liveCount, countedTime) = version.Incarnation.Census.CountAtEnd(version, memtable);
        var added = Open(batch.Finish(descriptor => FileNames.Table(descriptor.Number)));
        try
        {
            if (host.IsStopping)
            {
                // Closing; or latched, and then what was read may be pages that a failed sync let go of.
                foreach (var table in added) table.MarkObsolete();
                return;
            }

            var order = (version.Runs.Length == 0 ? 0 : version.Runs[0].Order) + 1;
            Versions.Version? replaced = null;
            var done = versions.Commit(
                version.Incarnation,
                before =>
                {
                    using (versions.EnterGate())
                    {
                        return new VersionEdit
                        {
                            NextFileNumber = 0,
                            FirstSegment = before.Memtables[^2].Segment.Number,
                            State = host.DescribeLocked(before.Incarnation, last, liveCount, countedTime),
                            Added = [.. added.Select(table => new AddedTable(order, table.Descriptor))],
                        };
                    }
                },
                (current, edit) =>
                {
                    replaced = current;
                    Run[] runs = added.Count == 0 ? current.Runs : [new Run(order, [.. added]), .. current.Runs];
                    return new Versions.Version(current.Incarnation, current.Memtables[..^1], runs, edit.State!);
                },
                current =>
                {
                    memtable.MarkObsolete();
                    host.FlushedLocked(replaced!, current, memtable);
                });
            if (!done) foreach (var table in added) table.MarkObsolete();
            FlushBytes += batch.BytesWritten;
            Flushes++;
        }
        catch (StorageFullException)
        {
            foreach (var table in added) table.MarkObsolete(); // the manifest is as it was, and the next try writes its own
            throw;
        }
        finally
        {
            foreach (var table in added) table.Release();
        }
    }

    /// <summary>Writes the memtable's rows, and counts them by their keys unless the census has begun to count them in the log's order.</summary>
    private static void WriteRows(Versions.Version version, Memtable memtable, TableBatch batch)
    {
        var census = version.Incarnation.Census;
        var difference = census.TryCountByKeys(memtable, out var time) ? new LiveDifference(version.Runs, time) : null;
        var from = new SealedRows(memtable);
        Span<PinnedRow> rows = stackalloc PinnedRow[RowsAtOnce];
        for (var count = from.Take(rows); count > 0; count = from.Take(rows))
        {
            difference?.Count(rows[..count]);
            foreach (ref readonly var row in rows[..count]) batch.Add(row);
        }

        if (difference is not null) census.CountedByKeys(memtable, time, difference.Value, from.Leases);
    }

    /// <summary>Carries out a choice; false when there was no use in it any more.</summary>
    private bool Compact(Versions.Version version, CompactionChoice choice)
    {
        var inputs = version.Runs[choice.First..(choice.First + choice.Count)];
        if (choice.IsMove) return Replace(version, inputs, inputs[^1].Order, [.. inputs[1].Tables.Concat(inputs[0].Tables)
            .OrderBy(table => table.Descriptor.SmallestKey, KeyComparer.Instance)], 0);

        var isBottom = choice.First + choice.Count == version.Runs.Length;
        var dropTime = isBottom ? host.DropTime(version) : 0;
        using var batch = new TableBatch(versions.Storage, versions.Directory, versions.DatabaseId, versions.Numbers, options, options.TableBytes);
        if (!Merge(version, inputs, isBottom, dropTime, batch)) return false;
        var outputs = Open(batch.Finish(descriptor => FileNames.Table(descriptor.Number)));
        try
        {
            var done = Replace(version, inputs, inputs[0].Order, [.. outputs], dropTime);
            if (!done) foreach (var table in outputs) table.MarkObsolete();
            Compactions++;
            CompactionBytes += batch.BytesWritten;
            return done;
        }
        catch (StorageFullException)
        {
            foreach (var table in outputs) table.MarkObsolete();
            throw;
        }
        finally
        {
            foreach (var table in outputs) table.Release();
        }
    }

    private bool Merge(Versions.Version version, Run[] inputs, bool isBottom, ulong dropTime, TableBatch batch)
    {
        using var merge = new RunMerge([.. inputs.Select(run => run.Tables.Select(table => table.Table).ToArray())]);
        for (var rows = 1; merge.MoveNext(out var row); rows++)
        {
            var kind = row.Kind;
            var vanishes = isBottom && (kind == RecordKind.Tombstone || (kind == RecordKind.LeasedPut && row.Deadline <= dropTime));
            if (!vanishes) batch.Add(row);
            if (rows % RowsBetweenLooks != 0) continue;
            if (host.IsStopping || versions.Current.Incarnation != version.Incarnation) return false;
            FlushAll();
        }

        return true;
    }

    private bool Replace(Versions.Version version, Run[] inputs, ulong order, TableHandle[] outputs, ulong dropTime)
    {
        var kept = outputs.ToHashSet();
        return versions.Commit(
            version.Incarnation,
            before => new VersionEdit
            {
                NextFileNumber = 0,
                FirstSegment = before.Memtables[^1].Segment.Number,
                State = dropTime > before.Base.CountedTimeMs ? Census.Advance(before, dropTime) : null,
                Removed = [.. inputs.SelectMany(run => run.Tables).Select(table => table.Descriptor.Number)],
                Added = [.. outputs.Select(table => new AddedTable(order, table.Descriptor))],
            },
            (current, edit) =>
            {
                var at = Array.IndexOf(current.Runs, inputs[0]);
                Run[] merged = outputs.Length == 0 ? [] : [new Run(order, outputs)];
                return new Versions.Version(
                    current.Incarnation, current.Memtables, [.. current.Runs[..at], .. merged, .. current.Runs[(at + inputs.Length)..]],
                    edit.State ?? current.Base);
            },
            _ =>
            {
                foreach (var table in inputs.SelectMany(run => run.Tables))
                    if (!kept.Contains(table)) table.MarkObsolete();
            });
    }

    private List<TableHandle> Open(List<(string Path, TableDescriptor Descriptor)> tables)
    {
        var opened = new List<TableHandle>();
        foreach (var (path, descriptor) in tables)
            opened.Add(new TableHandle(versions.Storage, path, Table.Open(versions.Storage, path, descriptor, options.ParanoidChecks)));
        return opened;
    }
}
