namespace Varve.Diagnostics;

/// <summary>
/// The open engines of the process, for the instruments that look at them when they are collected. The list is replaced
/// as a whole, so a collection takes no lock and calls listeners under none. Any thread.
/// </summary>
internal static class OpenEngines
{
    private static MeteredEngine[] _all = [];

    /// <summary>The engines that are open now.</summary>
    public static IReadOnlyList<MeteredEngine> All => Volatile.Read(ref _all);

    /// <summary>Adds an engine that has been opened, and drops those that were never closed and are gone.</summary>
    public static void Add(MeteredEngine engine) =>
        Replace(all => [.. all.Where(static other => other.IsAlive), engine]);

    /// <summary>Removes an engine that is about to close. Nothing happens if it is not in the list.</summary>
    public static void Remove(MeteredEngine engine) => Replace(all => [.. all.Where(other => other != engine)]);

    private static void Replace(Func<MeteredEngine[], MeteredEngine[]> change)
    {
        var seen = Volatile.Read(ref _all);
        while (true)
        {
            var before = Interlocked.CompareExchange(ref _all, change(seen), seen);
            if (before == seen) return;
            seen = before;
        }
    }
}
