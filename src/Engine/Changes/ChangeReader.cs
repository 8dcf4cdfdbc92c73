using Varve.Epochs;

namespace Varve.Changes;

/// <summary>
/// One enumeration of changes. It reads the log by itself until it has caught up; then it joins the dispatcher, which
/// gives it a bounded number of changes. One that takes them too slowly reads by itself again, from the first change
/// that did not fit.
/// </summary>
/// <remarks>Threads: its consumer, and the dispatcher.</remarks>
/// <param name="from">The first index that counts.</param>
/// <param name="prefix">The beginning of the keys that count.</param>
/// <param name="cursor">The place from which it reads.</param>
internal sealed class ChangeReader(ulong from, byte[] prefix, ChangeCursor cursor)
{
    /// <summary>The most changes that wait for the consumer.</summary>
    public const int CountMax = 1024;

    /// <summary>The most bytes of keys and values that wait for the consumer, unless one change alone has
    /// more.</summary>
    public const int BytesMax = 1 << 18;

    private readonly RankedLock _lock = new(LockOrder.ChangeQueue);
    private List<Change> _arrived = [];
    private long _bytes;
    private ChangeCursor _cursor = cursor;
    private TaskCompletionSource? _waiter;
    private bool _isJoined;
    private bool _isWoken;

    /// <summary>The first index that counts.</summary>
    public ulong From => from;

    /// <summary>The beginning of the keys that count.</summary>
    public byte[] Prefix => prefix;

    /// <summary>True while the dispatcher gives it changes.</summary>
    public bool IsJoined
    {
        get
        {
            using (_lock.Enter()) return _isJoined;
        }
    }

    /// <summary>The place from which it reads, or read when it joined.</summary>
    public ChangeCursor Cursor
    {
        get
        {
            using (_lock.Enter()) return _cursor;
        }
        set
        {
            using (_lock.Enter()) _cursor = value;
        }
    }

    /// <summary>The last index up to which its consumer has taken everything.</summary>
    /// <param name="dispatched">The index up to which the dispatcher has come.</param>
    public ulong Reached(ulong dispatched)
    {
        using (_lock.Enter())
            return _arrived is [var next, ..] ? next.Index - 1 : _isJoined ? dispatched : _cursor.Reached;
    }

    /// <summary>From here on the dispatcher gives it changes.</summary>
    public void Join()
    {
        using (_lock.Enter()) _isJoined = true;
    }

    /// <summary>
    /// Gives it a change, unless that is before the place where it joined. Without room for the change it leaves the
    /// dispatcher.
    /// </summary>
    public void Deliver(Change change, in ChangeCursor at)
    {
        if (change.Index < from) return;
        using (_lock.Enter())
        {
            if (!_isJoined || at.IsBefore(_cursor)) return;
            var bytes = change.Key.Length + change.Value.Length;
            if (_arrived.Count < CountMax && _bytes + bytes <= BytesMax)
            {
                _arrived.Add(change);
                _bytes += bytes;
            }
            else
            {
                LeaveQueueHeld(at);
            }

            WakeQueueHeld();
        }
    }

    /// <summary>Leaves the dispatcher, which gave it everything before a place.</summary>
    public void Leave(in ChangeCursor at)
    {
        using (_lock.Enter())
        {
            if (!_isJoined) return;
            LeaveQueueHeld(at);
            WakeQueueHeld();
        }
    }

    /// <summary>
    /// Exchanges an empty list for the changes that wait; false if there are none.
    /// </summary>
    public bool TryTake(ref List<Change> changes)
    {
        using (_lock.Enter())
        {
            if (_arrived.Count == 0) return false;
            (changes, _arrived) = (_arrived, changes);
            _bytes = 0;
            return true;
        }
    }

    /// <summary>
    /// Completes when there is something to do: a change, the way to read by itself, or another state of the engine.
    /// </summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        using (_lock.Enter())
        {
            if (_isWoken || !_isJoined || _arrived.Count > 0)
            {
                _isWoken = false;
                return Task.CompletedTask;
            }

            _waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _waiter.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Has its consumer look at the state of the engine.</summary>
    public void Wake()
    {
        using (_lock.Enter())
        {
            _isWoken = _waiter is null;
            WakeQueueHeld();
        }
    }

    private void LeaveQueueHeld(in ChangeCursor at)
    {
        LockOrder.ChangeQueue.AssertHeld();
        _isJoined = false;
        if (_cursor.IsBefore(at)) _cursor = at;
    }

    private void WakeQueueHeld()
    {
        LockOrder.ChangeQueue.AssertHeld();
        _waiter?.SetResult();
        _waiter = null;
    }
}
