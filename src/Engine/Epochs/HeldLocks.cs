using System.Diagnostics;

namespace Varve.Epochs;

/// <summary>
/// The locks that the calling thread holds, and the assertions about them. A release build compiles no call to it.
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

    private static int RankOf(LockOrder which) => (int)which >> RankShift;

    private static string Names() => _held is { Count: > 0 } ? string.Join(", ", _held) : "none";
}
