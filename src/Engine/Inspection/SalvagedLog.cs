using Varve.Contract;
using Varve.Format;
using Varve.Memory;
using Varve.Memtables;
using Varve.Recovery;
using Varve.Storage;
using Varve.Tables;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Inspection;

/// <summary>
/// The newest effect of every key in a log, and the position at its end. Follows the chain of segments to its end. If
/// no exact state can be reached anyway, continues behind a break with every valid record, in order. Memory: the
/// distinct keys of the log.
/// </summary>
internal sealed class SalvagedLog : IDisposable
{
    private readonly SortedDictionary<byte[], (WalSegment Segment, long Offset, int Size)> _newest = new(
        KeyComparer.Instance);
    private readonly RecoveredLog _log;
    private readonly List<Loss> _losses;
    private bool _hasStopped;
    private (ulong First, ulong Last, Loss Loss)? _range;   // the last lost entries, which the next loss may continue

    public SalvagedLog(
        IStorage storage, string directory, DatabaseRoot root, MachineState state, bool exact, List<Loss> losses)
    {
        _losses = losses;
        Generation = new StateGeneration(state, EngineOptions.OutcomesKept);
        Replay = new WalReplayer(Generation, state, new IndexPool());
        _log = WalRecovery.Run(
            storage, directory, root.DatabaseId, root.FirstSegment!.Value, MappingAccess.Table, static _ => { });
        IsWhole = _log.Segments.Count > 0;
        if (!IsWhole)
            losses.Add(new Loss(
                Path.Combine(directory, FileNames.Segment(root.FirstSegment.Value)), 0, "the beginning of the log"));
        foreach (var segment in _log.Segments)
        {
            var records = segment.Records();
            while (records.Next < segment.End && !_hasStopped && records.MoveNext())
                Apply(segment, records.Current, exact);
        }

        LookBeyond(exact && IsWhole);
    }

    /// <summary>True if the first segment is readable, so the log continues the tables.</summary>
    public bool IsWhole { get; }

    public StateGeneration Generation { get; }

    /// <summary>Position, last snapshot and lease clean-ups after the log.</summary>
    public WalReplayer Replay { get; }

    /// <summary>Writes the newest effects in key order.</summary>
    public void WriteTo(TableSetWriter batch)
    {
        foreach (var (_, (segment, offset, size)) in _newest)
        {
            var kind = WalOperation.Read(segment.From(offset)[..size], out var key, out var value, out var deadline);
            batch.Add(key, kind, deadline, value);
        }
    }

    public void Dispose()
    {
        foreach (var segment in _log.Segments.Concat(_log.Unused)) segment.Dispose();
    }

    private void LookBeyond(bool exact)
    {
        if (_log.Ending == LogEnding.CleanEnd && !_hasStopped) return;
        var last = _log.Segments.Count == 0 ? null : _log.Segments[^1];
        var kept = Replay.Position.Index;
        foreach (var segment in _log.Unused.Where(segment => last is null || segment.Number > last.Number).Prepend(
            last))
        {
            if (segment is null) continue;
            var end = segment == last ? segment.End : WalSegmentHeader.Size;
            foreach (var record in WalRecovery.RecordsFrom(segment, end))
            {
                if (record.Offset != end || exact) Lose(segment, end, kept, record, exact);
                end = record.Offset + record.Length;
                if (!exact) Apply(segment, segment.RecordOf(record), exact: false);
                kept = exact ? Math.Max(kept, record.LastIndex) : Replay.Position.Index;
            }
        }

        if (_log.Ending == LogEnding.Corrupt && last is not null
            && !_losses.Exists(loss => loss.File == last.Path && loss.Offset == last.End))
            _losses.Add(
                new Loss(last.Path, last.End, $"records that were durable, after index {Replay.Position.Index}"));
    }

    private void Lose(WalSegment segment, long from, ulong kept, in WalRecordHeader next, bool exact)
    {
        var upTo = exact ? next.LastIndex : next.FirstIndex - (next.EntryCount > 0 ? 1UL : 0UL);
        if (upTo <= kept) return;
        // Consecutive entries are one loss, across records and segments.
        var (first, loss) = (kept + 1, new Loss(segment.Path, from, ""));
        if (_range is { } range && range.Last == kept && _losses[^1] == range.Loss)
        {
            (first, _, loss) = range;
            _losses.RemoveAt(_losses.Count - 1);
        }

        loss = loss with { What = $"entries {first} to {upTo}" };
        _range = (first, upTo, loss);
        _losses.Add(loss);
    }

    private void Apply(WalSegment segment, in WalRecordView record, bool exact)
    {
        try
        {
            if (Replay.Apply(segment, record)) ApplyOperations(segment, record);
        }
        catch (CorruptionException damage)
        {
            _losses.Add(new Loss(
                segment.Path, record.Offset,
                $"entries {record.Header.FirstIndex} to {record.Header.LastIndex} ({damage.Kind}: {damage.Problem})"));
            _hasStopped = exact;
        }
    }

    private void ApplyOperations(WalSegment segment, in WalRecordView record)
    {
        var operations = record.Operations;
        while (operations.MoveNext())
        {
            WalOperation.Read(operations.Current, out var key, out _, out _);
            _newest[key.ToArray()] = (segment, operations.Offset, operations.Current.Length);
        }

        if (operations.Error.IsFault)
            throw DecodeFailure.Of(segment.Path, operations.Offset, CorruptionKind.Record, operations.Error);
    }
}
