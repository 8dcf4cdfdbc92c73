using System.Diagnostics;

namespace Varve.Epochs;

/// <summary>
/// The locks that the calling thread holds, and the assertions about them. A release build compiles no call to them.
/// <para>
/// The order is one of the locks of one engine, and the list has those of a thread. The two differ only if an engine
/// calls code that calls another engine, as the storage of a test may. Such code opens <see cref="LeaveEngine"/>.
/// </para>
/// </summary>
internal static class HeldLocks
{
    private const int RankShift = 4;

    [ThreadStatic]
    private static List<LockOrder>? _held;

    /// <summary>Asserts that the calling thread holds a lock.</summary>
    [Conditional("DEBUG")]
    public static void AssertHeld(this LockOrder which) =>
        Debug.Assert(_held?.Contains(which) == true, $"The thread does not hold the lock {which}, but {Names()}.");

    /// <summary>Asserts that the calling thread may take a lock: all that it holds have lower ranks.</summary>
    [Conditional("DEBUG")]
    public static void AssertMayEnter(this LockOrder which)
    {
        foreach (var other in _held ?? [])
            Debug.Assert(RankOf(other) < RankOf(which), $"The lock {which} may not be taken under {Names()}.");
    }

    /// <summary>Adds a lock that the calling thread has entered.</summary>
    [Conditional("DEBUG")]
    public static void Add(LockOrder which) => (_held ??= []).Add(which);

    /// <summary>Drops a lock that the calling thread is about to leave.</summary>
    [Conditional("DEBUG")]
    public static void Drop(LockOrder which) => _held!.RemoveAt(_held.LastIndexOf(which));

    /// <summary>
    /// Begins code that belongs to no engine, though an engine calls it under its locks: until the scope is disposed,
    /// the thread counts as holding none.
    /// </summary>
    public static Outside LeaveEngine()
    {
        var outside = new Outside(_held);
        _held = null;
        return outside;
    }

    private static int RankOf(LockOrder which) => (int)which >> RankShift;

    private static string Names() => _held is { Count: > 0 } ? string.Join(", ", _held) : "none";

    /// <summary>Code outside of any engine; at its end the thread holds again what it held before.</summary>
    internal readonly ref struct Outside(List<LockOrder>? held)
    {
        public void Dispose() => _held = held;
    }
}
