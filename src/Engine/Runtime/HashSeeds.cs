using Varve.Format;

namespace Varve.Runtime;

/// <summary>
/// Seeds of the hashes of memtables and databases: random, so that no user can choose keys that collide. Controlled
/// schedules replace this class, since the hash of a key decides which accesses a thread makes.
/// </summary>
internal static class HashSeeds
{
    /// <summary>A seed that nobody can know.</summary>
    public static ulong Next() => KeyHasher.NewSeed();
}
