namespace Varve.Runtime;

/// <summary>
/// Replaces the engine's class of this name: a schedule is a list of steps, and the places of keys in a hash directory
/// must not change them from one run to the next.
/// </summary>
internal static class HashSeeds
{
    public static ulong Next() => 0x5EED_0F5C_4ED0_1E55;
}
