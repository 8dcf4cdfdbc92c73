using Varve.Tests.Crash.Child;

namespace Varve.Tests.Crash.Children;

/// <summary>A state that no fault may leave.</summary>
internal sealed class BrokenPromise(string what) : Exception(what);

/// <summary>
/// What a child's messages allow its database to be. It applies one chunk at a time and says so after each, so a kill leaves
/// the last index that it named, the end of the chunk after it, or the target of the jump that it had begun: nothing else.
/// </summary>
internal sealed class Promise(ulong seed)
{
    private readonly Lock turn = new();
    private ulong applied;
    private ulong durable;
    private ulong? jump;
    private bool isFresh = true;
    private bool mayLosePower;
    private bool isLatched;
    private Func<ulong, bool>? before;
    private List<Func<ulong, bool>>? sincePowerWent;

    public ulong Applied => applied;

    /// <summary>Takes what a child says, in order.</summary>
    public void Hear(Message message)
    {
        lock (turn) Take(message);
    }

    private void Take(Message message)
    {
        switch (message.Kind)
        {
            case MessageKind.Opening:
                before = AllowedNow();
                sincePowerWent = null;
                isFresh = true;
                isLatched = false;
                break;
            case MessageKind.Applied:
                if (isFresh && before is not null && !before(message.Value))
                    throw new BrokenPromise($"Opened at entry {message.Value} after {this}");
                if (isFresh || jump == message.Value)
                {
                    // Where it opened is only as durable as it says next; where it jumped to is.
                    durable = jump == message.Value ? message.Value : Math.Min(durable, message.Value);
                }

                jump = null;
                mayLosePower &= sincePowerWent is not null;
                applied = message.Value;
                isFresh = false;
                break;
            case MessageKind.Standing:
                if (!Allows(message.Value)) throw new BrokenPromise($"Stands at entry {message.Value} after {this}");
                applied = message.Value;
                durable = Math.Min(durable, message.Value);
                // A latched instance may have written what it does not serve: only the next open tells.
                if (!isLatched) jump = null;
                break;
            case MessageKind.Failed:
                isLatched |= message.Value == (ulong)FailureKind.Faulted;
                break;
            case MessageKind.Jumping:
                jump = message.Value;
                break;
            case MessageKind.Durable:
                durable = message.Value;
                break;
        }

        sincePowerWent?.Add(Closed(this));
    }

    /// <summary>
    /// The power goes: what was acknowledged in a durability that does not cover it may be gone. What is said from now on binds nobody:
    /// a kernel whose file system was shut down under it lets some syncs succeed that wrote nothing.
    /// </summary>
    public void LosePower(Durability durability)
    {
        lock (turn)
        {
            mayLosePower = durability != Durability.Power;
            sincePowerWent = [Closed(this)];
        }
    }

    /// <summary>What was found after the fault, which is where everything goes on.</summary>
    public void Found(ulong reached)
    {
        if (!AllowedNow()(reached)) throw new BrokenPromise($"Found entry {reached} after {this}");
        sincePowerWent = null;
        applied = durable = reached;
        jump = null;
        isFresh = true;
        before = null;
        mayLosePower = false;
    }

    public bool Allows(ulong reached)
    {
        if (isFresh && before is not null) return before(reached);
        var end = isFresh ? applied : SeededLog.EndAfter(seed, applied);
        if (reached == jump || reached == end) return true;
        return mayLosePower ? reached >= durable && reached <= end : reached == applied;
    }

    public override string ToString() =>
        $"acknowledging {applied}{(jump is { } to ? $", jumping to {to}" : "")}, durable {durable}{(mayLosePower ? ", power lost" : "")}{(isFresh ? ", before it was open again" : "")}";

    /// <summary>What may be found now: of any moment since the power went, if it did.</summary>
    private Func<ulong, bool> AllowedNow() => sincePowerWent is { } moments ? reached => moments.Exists(allows => allows(reached)) : Closed(this);

    private static Func<ulong, bool> Closed(Promise promise)
    {
        var copy = (Promise)promise.MemberwiseClone();
        return copy.Allows;
    }
}
