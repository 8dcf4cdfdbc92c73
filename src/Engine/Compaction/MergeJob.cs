using Varve.Diagnostics;
using Varve.Iterators;
using Varve.LiveKeys;
using Varve.Memory;
using Varve.Runtime;
using Varve.Storage;
using Varve.Tables;
using Varve.Versions;

namespace Varve.Compaction;

/// <summary>
/// A compaction in progress: merges neighbouring runs into one, a step at a time, so that the scheduler may do other
/// work between two steps. It has a reference to the version of its inputs. One thread.
/// </summary>
internal sealed class MergeJob : IDisposable
{
    private readonly EngineContext _engine;
    private readonly VersionSet _versions;
    private readonly DbVersion _version;
    private readonly Run[] _inputs;
    private readonly bool _isBottom;
    private readonly ulong _dropTime;
    private readonly CompactionMerge? _merge; // null, as the next: a trivial move
    private readonly TableSetWriter? _output;
    private readonly WorkFacts _facts;
    private readonly long _start;

    /// <param name="engine">The engine of the runs.</param>
    /// <param name="versions">The set that gets the merged run.</param>
    /// <param name="horizon">Decides which expired leases a merge may drop.</param>
    /// <param name="version">The version whose runs were chosen; the job takes a reference.</param>
    /// <param name="choice">The inputs, and the way in which they become one run.</param>
    /// <param name="reason">The cause of the compaction, for its span.</param>
    public MergeJob(
        EngineContext engine, VersionSet versions, LeaseHorizon horizon, DbVersion version, CompactionChoice choice,
        string reason)
    {
        _start = engine.Telemetry.Now();
        var level = Levels.Of(choice.First + choice.Count - 1, version.Runs.Length);
        _facts = new WorkFacts { Reason = reason, Level = level };
        _engine = engine;
        _versions = versions;
        _version = version;
        _inputs = version.Runs[choice.First..(choice.First + choice.Count)];
        foreach (var run in _inputs) InputBytes += run.Bytes;
        if (choice.Kind == CompactionKind.Merge)
        {
            _isBottom = choice.First + choice.Count == version.Runs.Length;
            _dropTime = _isBottom ? horizon.DropTime(version) : 0;
            _output = CreateOutput(InputBytes);
            _merge = new CompactionMerge(
                [.. _inputs.Select(run => run.Tables.Select(table => table.Table).ToArray())],
                version.Generation.HashSeed);
        }

        version.Acquire(); // last: a failed constructor keeps no reference
    }

    /// <summary>The newest run that it merges; runs above it may be compacted meanwhile.</summary>
    public Run NewestInput => _inputs[0];

    /// <summary>Bytes of all inputs.</summary>
    public long InputBytes { get; }

    /// <summary>Bytes to merge before another job may nest in this one.</summary>
    public long MergeBeforeNested { get; set; }

    /// <summary>
    /// True if its result cannot be committed: the engine is closing, or the inputs' generation is gone.
    /// </summary>
    public bool IsObsolete => _engine.State.IsStopping || _versions.Current.Generation != _version.Generation;

    /// <summary>
    /// Merges rows of at least a number of bytes; false once no row is left. A trivial move has no rows to merge.
    /// </summary>
    public bool Step(long bytes, out long merged)
    {
        merged = 0;
        if (_merge is not { } merge || _output is not { } output) return false;
        while (merged < bytes)
        {
            if (!merge.MoveNext(out var row)) return false;
            var vanishes = _isBottom && !row.IsLiveAt(_dropTime);
            if (!vanishes) output.Add(row);
            merged += row.Key.Length + row.ValueLength;
        }

        return true;
    }

    /// <summary>
    /// Syncs the output, and replaces the inputs by it; false, with nothing left behind, when the engine is closing or
    /// the inputs' generation is gone.
    /// </summary>
    public bool Commit()
    {
        if (_output is null) return _versions.Commit(Describe(MovedTables(), _inputs[^1].Order));
        if (_engine.State.IsStopping) return false;
        var tables = TableHandle.OpenAll(
            _versions.Storage, _output.Finish(descriptor => FileNames.Table(descriptor.Number)), _engine.Options);
        _engine.Counters.CompactionBytes += _output.BytesWritten;
        _facts.Bytes = _output.BytesWritten;
        _facts.Rows = tables.Sum(table => table.Descriptor.RowCount);
        try
        {
            if (!CommitMerge(Describe([.. tables], _inputs[0].Order))) return false;
            ReportMerge(_engine.Telemetry.End(Work.Compaction, _start, _facts));
            return true;
        }
        finally
        {
            tables.ForEach(static table => table.Release());
        }
    }

    /// <summary>Reports that an exception ended the job.</summary>
    public void Fail(Exception failure)
    {
        if (_output is not null) _engine.Telemetry.End(Work.Compaction, _start, _facts, failure);
    }

    public void Dispose()
    {
        _merge?.Dispose();
        _output?.Dispose();
        _version.Release();
    }

    private void ReportMerge(TimeSpan duration)
    {
        var (runs, bytesIn, bytesOut, level) = (_inputs.Length, InputBytes, _facts.Bytes ?? 0, _facts.Level!);
        _engine.Log.Post(
            logger => Log.Compacted(logger, runs, bytesIn, bytesOut, level, duration.TotalSeconds));
    }

    private TableSetWriter CreateOutput(long bytes)
    {
        var options = _engine.Options;
        var tableBytes = Math.Max(options.TableBytes, bytes / Math.Max(1, options.TablesInRunMax / 2));
        return new TableSetWriter(
            _versions.Storage,
            _versions.Directory,
            _versions.DatabaseId,
            _versions.Numbers,
            _version.Generation.HashSeed,
            options,
            tableBytes,
            _versions.RecycledFiles,
            bytes);
    }

    /// <summary>The tables of both runs, in key order; their ranges are disjoint (I9).</summary>
    private TableHandle[] MovedTables() =>
        [.. _inputs[1].Tables.Concat(_inputs[0].Tables)
            .OrderBy(table => table.Descriptor.SmallestKey, KeyComparer.Instance)];

    /// <summary>The change that replaces the inputs by tables, if there are any.</summary>
    private VersionChange Describe(TableHandle[] tables, ulong order)
    {
        // Flushes since have changed the base, and the first segment that recovery needs.
        var current = _versions.AcquireCurrent();
        try
        {
            return new VersionChange
            {
                Generation = _version.Generation,
                RunsOut = _inputs,
                RunIn = tables.Length == 0 ? null : new Run(order, tables),
                BaseState = _dropTime > current.Base.CountedTimeMs
                    ? StateCounts.CountedAt(current.Runs, current.Base, _dropTime)
                    : null,
                FirstSegment = current.Memtables[^1].Segment.Number,
            };
        }
        finally
        {
            current.Release();
        }
    }

    /// <summary>Commits in two halves, to count the merge in the gate section of the switch.</summary>
    private bool CommitMerge(VersionChange change)
    {
        using (_versions.EnterManifest())
        {
            if (!_versions.AppendEditManifestHeld(change)) return false;
            using (_versions.EnterGate())
            {
                _engine.Counters.Compactions++; // before the switch: a reading that shows the merged run counts it
                _versions.InstallGateHeld(change);
            }

            return true;
        }
    }
}
