using System.Reflection;
using Varve.Epochs;

namespace Varve.Tests.Schedules.Control;

/// <summary>
/// Gives the threads of a schedule the same numbers (<see cref="ThreadOrdinal"/>) in every run. A scan of the slots
/// meets one that is added meanwhile only if its number is above the scan's place and within the array, so that other
/// numbers make another schedule. The threads of two schedulers share numbers, but never an engine.
/// </summary>
internal static class Ordinals
{
    private static readonly FieldInfo Current =
        typeof(ThreadOrdinal).GetField("_current", BindingFlags.Static | BindingFlags.NonPublic)!;

    public static int Of(int thread) => thread + 1;

    /// <summary>Sets the number of the calling thread.</summary>
    public static void Set(int ordinal) => Current.SetValue(null, ordinal);
}
