using Varve.Contract;
using Varve.Epochs;
using Varve.Format;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// Checks a decoded chunk against the log and the limits of commands, before anything changes. Used under the gate.
/// </summary>
internal sealed class ChunkValidator(EngineContext engine, VersionSet versions, WalWriter wal)
{
    private readonly bool _refusesInvalid = engine.Options.InvalidCommands == InvalidCommands.Refuse;
    private readonly bool _rejectsGaps = engine.Options.LogGaps == LogGapPolicy.Reject;

    /// <summary>
    /// Checks the whole chunk, answers the duplicates at its front, and fills in the positions of the new entries.
    /// </summary>
    /// <param name="buffers">The decoded chunk.</param>
    /// <param name="count">The number of its entries.</param>
    /// <param name="results">Receives the results of duplicates.</param>
    /// <param name="parameter">The caller's parameter that has the chunk.</param>
    /// <param name="operationBytes">The most that the operations of the new entries take in the log.</param>
    /// <returns>The first new entry; <paramref name="count"/> if all are duplicates.</returns>
    public int CheckGateHeld(
        ChunkBuffers buffers, int count, Span<ApplyResult> results, string parameter, out long operationBytes)
    {
        LockOrder.Gate.AssertHeld();
        var generation = versions.Current.Generation;
        var position = wal.Position;
        var entries = buffers.Entries.AsSpan(0, count);
        var first = 0;
        for (; first < count && entries[first].Index <= position.Index; first++)
        {
            var index = entries[first].Index;
            if (first > 0 && index <= entries[first - 1].Index) throw Disorder(first);
            if (index == 0)
                throw new ArgumentException(
                    $"Entry {first} of the chunk has index 0; the first of a log is 1.", parameter);
            results[first] = new ApplyResult(index, generation.Outcomes.Find(index) ?? throw UnknownOutcome(index));
        }

        operationBytes = 0;
        if (first == count) return first;
        buffers.Begin(first, count);
        var (lastIndex, term, logTime) = (position.Index, position.Term, position.LogTimeMs);
        for (var i = first; i < count; i++)
        {
            ref var entry = ref entries[i];
            if (i > 0 && entry.Index <= entries[i - 1].Index) throw Disorder(i);
            if (entry.Index != lastIndex + 1 && _rejectsGaps) throw new LogGapException(lastIndex + 1, entry.Index);
            if (entry.Term < term)
                throw new ArgumentException(
                    $"Entry {i} of the chunk has term {entry.Term} after term {term}.", parameter);
            var isRefused = !CommandLimits.AreKept(entry.Kind, entry.KeyLength, entry.ValueLength);
            if (isRefused)
            {
                if (!_refusesInvalid)
                    throw new ArgumentException(
                        $"Entry {i} of the chunk has {CommandLimits.Problem(entry.KeyLength, entry.ValueLength)}.",
                        parameter);
                entry.Kind = CommandKind.Noop; // but for its outcome
            }

            if (entry.Kind != CommandKind.Noop)
                operationBytes += WalOperation.SizeOf(entry.KeyLength, entry.ValueLength, RecordKind.LeasedPut);

            if (entry.Kind == CommandKind.Renew) buffers.HasRenewals = true;
            (lastIndex, term, logTime) = (entry.Index, entry.Term, Math.Max(logTime, entry.TimestampMs));
            buffers.Positions[i] = new EntryPosition
            {
                Index = lastIndex,
                Term = term,
                LogTimeMs = logTime,
                Succeeded = !isRefused,
                Refused = isRefused,
            };
        }

        return first;

        ArgumentException Disorder(int entry) =>
            new($"Entry {entry} of the chunk does not have a higher index than the one before it.", parameter);

        DuplicateEntryException UnknownOutcome(ulong index) => generation.Outcomes.IsPassedOver(index)
            ? DuplicateEntryException.OfPassedOver(index, position.Index)
            : new DuplicateEntryException(index);
    }
}
