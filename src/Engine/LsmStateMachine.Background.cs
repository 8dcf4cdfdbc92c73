using Varve.Compaction;
using Varve.Storage;
using Varve.Wal;

namespace Varve;

// What the background thread does when it is woken: flushes and compactions, what is worth it when nothing is applied, compactions asked for.
public sealed partial class LsmStateMachine
{
    /// <summary>A segment up to this length may stay on the disk with little in it: what a closed database of one key may take.</summary>
    private const long SparseLengthMin = 1 << 20;

    private void BackgroundRound()
    {
        int asked;
        lock (_compactions) asked = _compactions.Count;
        try
        {
            while (true)
            {
                _jobs.Round(isAsked: IsCompactionAsked);
                if (_idle!.TryTake())
                {
                    _jobs.Settle();
                    LetGo(isIdle: true);
                }

                if (TakeCompaction() is not { } compaction) return;
                asked--;
                CarryOut(compaction);
            }
        }
        catch (IOException shortage) when (Shortage.IsMet(shortage))
        {
            // Those that were asked for before fail with it; each one since has woken this thread for an attempt of its own.
            for (; asked > 0 && TakeCompaction() is { } compaction; asked--) compaction.TrySetException(Shortage.Again(shortage));
            throw;
        }
    }

    /// <summary>On a thread of the user's timer: the background goes by the time that is seen here.</summary>
    private void WakeWhenIdle()
    {
        try
        {
            _clock.ReadLocalIfUsed();
        }
        catch (InvalidOperationException)
        {
            // Then by the time that was seen before: what has expired since is dropped by a later compaction.
        }

        _background?.Wake();
    }

    private void CarryOut(TaskCompletionSource compaction)
    {
        try
        {
            _jobs.CompactEverything();
            if (_options.IdleAfter != Timeout.InfiniteTimeSpan) LetGo(isIdle: false);
            _syncer.Complete(compaction);
        }
        catch (Exception e)
        {
            compaction.SetException(Shortage.IsMet(e) ? e : new EngineFaultedException(e));
            throw;
        }
    }

    /// <summary>Gives back what is kept for speed alone and for a past that is too far behind by now.</summary>
    private void LetGo(bool isIdle)
    {
        using (_versions.EnterGate()) _history.Trim(_versions.Current, _wal.Position.Index);
        if (isIdle || _versions.Current.Memtables[0].Index.KeyCount == 0)
        {
            // Else appliers go on meanwhile, and need what is ready.
            _memtables.LetGo();
            LeaveLargeSegment();
            _syncer.Wake();
        }

        _versions.Reclaimer.Collect();
        _stock.LetGo();
        _pool.LetGo();
    }

    /// <summary>Goes on in a small segment where the current one is large and nothing is in it that a table would not have.</summary>
    private void LeaveLargeSegment()
    {
        if (!IsLarge(_versions.Current)) return;
        _memtables.PrepareNext();
        using (_versions.EnterGate())
        {
            if (!_memtables.IsReady || !IsLarge(_versions.Current) || ((ITableJobsHost)this).IsStopping) return;
            RotateLocked(0, filled: null);
        }

        _jobs.FlushSealed();

        bool IsLarge(Versions.Version current) =>
            current.Memtables is [{ Index.KeyCount: 0 } memtable] && memtable.Segment.Length > _pool.RestingLength
            && current.Base.LastIndex == current.Incarnation.Applied.Read().Index;
    }

    /// <summary>
    /// At a close: flushes a memtable that leaves nearly all of a large segment unused, and ends the log in a small one; says whether it did.
    /// Best effort: where there is no room for the table, the segment stays. Nobody applies any more, and the background has ended.
    /// </summary>
    private bool LeaveSparseSegment()
    {
        if (_versions.Current.Memtables is not [{ Segment: var segment }] || segment.Length <= SparseLengthMin
            || segment.End > segment.Length / SegmentPool.Growth) return false;
        _flushesAtClose = true;
        try
        {
            _memtables.LetGo();
            using (_versions.EnterGate()) RotateLocked(0, filled: null);
            _jobs.FlushSealed();
            return true;
        }
        catch (Exception e) when (Shortage.IsMet(e) || e is OutOfMemoryException)
        {
            return false; // the log has everything
        }
        finally
        {
            _flushesAtClose = false;
        }
    }

    /// <summary>Has the budget take in what memtables take by now, and what the chunk in hand does. What a segment made for one large record takes is counted, but not expected again.</summary>
    private void ReviewMemoryLocked(Versions.Version current)
    {
        var counted = _memtables.BytesReady;
        var each = _pool.Length;
        foreach (var memtable in current.Memtables)
        {
            counted += memtable.Bytes;
            each = Math.Max(each, _pool.Length + memtable.Index.Memory.BytesPresent);
        }

        _budget.Review(each, Math.Max(0, _stock.BytesInUse - counted) + _scratch.Bytes);
    }

    private bool IsCompactionAsked()
    {
        lock (_compactions) return _compactions.Count > 0;
    }

    private TaskCompletionSource? TakeCompaction()
    {
        lock (_compactions) return _compactions.TryDequeue(out var next) ? next : null;
    }

    /// <summary>For how long the background waits for a wake. The end of a view wakes it; that of a pin, which lasts for a call, does not.</summary>
    internal TimeSpan BackgroundInterval() =>
        _versions.Reclaimer.Pending > 0 ? TimeSpan.FromMilliseconds(50)
        : _jobs.IsBlocked ? TimeSpan.FromMilliseconds(500) : Timeout.InfiniteTimeSpan;
}
