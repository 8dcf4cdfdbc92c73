namespace Varve.Epochs;

/// <summary>The holds of an engine. Any thread.</summary>
internal sealed class HoldList
{
    private readonly RankedLock _lock = new(LockOrder.Holds);
    private Hold[] _all = [];

    /// <summary>All of them, those that hold nothing too.</summary>
    public ReadOnlySpan<Hold> All => Volatile.Read(ref _all);

    /// <summary>Adds a hold before its first use.</summary>
    public void Add(Hold hold)
    {
        using (_lock.Enter()) Volatile.Write(ref _all, [.. _all, hold]);
    }

    /// <summary>True if one of them holds a resource.</summary>
    public bool Name(RefCounted resource)
    {
        foreach (var hold in All)
            if (hold.Held == resource) return true;
        return false;
    }
}
