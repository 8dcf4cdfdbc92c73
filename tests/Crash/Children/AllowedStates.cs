using Varve.Tests.Crash.Child;

namespace Varve.Tests.Crash.Children;

/// <summary>A state that no fault may leave.</summary>
internal sealed class ForbiddenStateException(string what) : Exception(what);

/// <summary>
/// The states that a child's messages allow for its database. A child applies one chunk at a time and reports each, so
/// a kill leaves the last reported index, the end of the next chunk, or the target of a jump that has begun.
/// </summary>
internal sealed class AllowedStates(ulong seed)
{
    private readonly Lock _turn = new();
    private ulong _applied;
    private ulong _durable;
    private ulong? _jump;
    private bool _isFresh = true;
    private bool _mayLosePower;
    private bool _isLatched;
    private Func<ulong, bool>? _before;
    private List<Func<ulong, bool>>? _sincePowerWent;

    public ulong Applied => _applied;

    /// <summary>Processes the messages of a child, in order.</summary>
    public void Hear(Message message)
    {
        lock (_turn) Take(message);
    }

    private void Take(Message message)
    {
        switch (message.Kind)
        {
            case MessageKind.Opening:
                _before = AllowedNow();
                _sincePowerWent = null;
                _isFresh = true;
                _isLatched = false;
                break;
            case MessageKind.Applied:
                if (_isFresh && _before is not null && !_before(message.Value))
                    throw new ForbiddenStateException($"Opened at entry {message.Value} after {this}");
                if (_isFresh || _jump == message.Value)
                {
                    // The position that it opened at is durable only as its next message says; the target of its jump
                    // is durable.
                    _durable = _jump == message.Value ? message.Value : Math.Min(_durable, message.Value);
                }

                _jump = null;
                _mayLosePower &= _sincePowerWent is not null;
                _applied = message.Value;
                _isFresh = false;
                break;
            case MessageKind.Standing:
                if (!Allows(message.Value))
                    throw new ForbiddenStateException($"Stands at entry {message.Value} after {this}");
                _applied = message.Value;
                _durable = Math.Min(_durable, message.Value);
                // A latched engine may have written entries that it does not serve: only the next open tells.
                if (!_isLatched) _jump = null;
                break;
            case MessageKind.Failed:
                _isLatched |= message.Value == (ulong)FailureKind.Faulted;
                break;
            case MessageKind.Jumping:
                _jump = message.Value;
                break;
            case MessageKind.Durable:
                _durable = message.Value;
                break;
        }

        _sincePowerWent?.Add(Closed(this));
    }

    /// <summary>
    /// Loses power: entries acknowledged in a durability that does not cover power loss may be gone. Later messages
    /// bind nothing, since a kernel whose file system was shut down lets some syncs succeed without writing.
    /// </summary>
    public void LosePower(Durability durability)
    {
        lock (_turn)
        {
            _mayLosePower = durability != Durability.Power;
            _sincePowerWent = [Closed(this)];
        }
    }

    /// <summary>The state found after the fault, from which the run continues.</summary>
    public void Found(ulong reached)
    {
        if (!AllowedNow()(reached)) throw new ForbiddenStateException($"Found entry {reached} after {this}");
        _sincePowerWent = null;
        _applied = _durable = reached;
        _jump = null;
        _isFresh = true;
        _before = null;
        _mayLosePower = false;
    }

    public bool Allows(ulong reached)
    {
        if (_isFresh && _before is not null) return _before(reached);
        var end = _isFresh ? _applied : SeededLog.EndAfter(seed, _applied);
        if (reached == _jump || reached == end) return true;
        return _mayLosePower ? reached >= _durable && reached <= end : reached == _applied;
    }

    public override string ToString() =>
        $"acknowledging {_applied}{(_jump is { } to ? $", jumping to {to}" : "")}, durable "
            + $"{_durable}{(_mayLosePower ? ", power lost" : "")}{(_isFresh ? ", before it was open again" : "")}";

    /// <summary>The states allowed now: those of any moment since the power loss, if there was one.</summary>
    private Func<ulong, bool> AllowedNow() =>
        _sincePowerWent is { } moments ? reached => moments.Exists(allows => allows(reached)) : Closed(this);

    private static Func<ulong, bool> Closed(AllowedStates promise)
    {
        var copy = (AllowedStates)promise.MemberwiseClone();
        return copy.Allows;
    }
}
