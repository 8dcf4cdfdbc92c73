using Varve.Format;
using Varve.Memtables;
using Varve.Tables;
using Varve.Versions;

namespace Varve.Reading;

/// <summary>
/// Finds a group of keys side by side, as <see cref="DbVersion.Find"/> does one. Each step covers all keys before the
/// next begins, so that their cache misses overlap.
/// </summary>
internal static class MultiGet
{
    /// <summary>The most keys in a group: the lines of one step for all of them fit the first-level cache.</summary>
    public const int KeysMax = 32;

    /// <summary>The newest version of each key at a revision, under the caller's pin.</summary>
    /// <param name="memtables">The memtables, newest first, and the hasher of their keys.</param>
    /// <param name="runs">The runs, newest first, and the hasher of their keys.</param>
    /// <param name="keys">Up to <see cref="KeysMax"/> keys; equal ones may occur.</param>
    /// <param name="revision">The revision.</param>
    /// <param name="found">Receives an answer a key.</param>
    public static void Find(
        (Memtable[] All, KeyHasher Hasher) memtables, (Run[] All, KeyHasher Hasher) runs,
        ReadOnlySpan<ReadOnlyMemory<byte>> keys, ulong revision, Span<KeyVersion> found)
    {
        Span<ulong> hashes = stackalloc ulong[KeysMax];
        found.Clear();
        var areHashed = false;
        foreach (var memtable in memtables.All)
        {
            if (memtable.Index.KeyCount == 0) continue;
            if (!areHashed) Hash(memtables.Hasher, keys, hashes);
            areHashed = true;
            FindInMemtable(memtable, keys, hashes, revision, found);
        }

        Hash(runs.Hasher, keys, hashes);
        foreach (var run in runs.All) FindInRun(run, keys, hashes, found);
    }

    private static void Hash(KeyHasher hasher, ReadOnlySpan<ReadOnlyMemory<byte>> keys, Span<ulong> hashes)
    {
        for (var i = 0; i < keys.Length; i++) hashes[i] = hasher.Of(keys[i].Span);
    }

    private static void FindInMemtable(
        Memtable memtable, ReadOnlySpan<ReadOnlyMemory<byte>> keys, ReadOnlySpan<ulong> hashes, ulong revision,
        Span<KeyVersion> found)
    {
        for (var i = 0; i < keys.Length; i++) memtable.Index.Prefetch(hashes[i]);
        for (var i = 0; i < keys.Length; i++)
        {
            if (found[i].Exists) continue;
            var reference = memtable.Index.FindVisible(keys[i].Span, hashes[i], revision);
            if (!reference.IsNone) found[i] = new KeyVersion(memtable.Index.OperationAt(reference));
        }
    }

    private static void FindInRun(
        Run run, ReadOnlySpan<ReadOnlyMemory<byte>> keys, ReadOnlySpan<ulong> hashes, Span<KeyVersion> found)
    {
        const int None = -1;
        Span<int> tables = stackalloc int[KeysMax], blocks = stackalloc int[KeysMax];
        Span<ulong> candidates = stackalloc ulong[KeysMax];
        for (var i = 0; i < keys.Length; i++)
        {
            var at = found[i].Exists ? run.Tables.Length : run.IndexFor(keys[i].Span);
            tables[i] = at < run.Tables.Length ? at : None;
            if (tables[i] != None) run.Tables[at].Table.PrefetchFilter(hashes[i]);
        }

        for (var i = 0; i < keys.Length; i++)
            blocks[i] = tables[i] != None ? run.Tables[tables[i]].Table.FindBlock(keys[i].Span, hashes[i]) : None;
        for (var i = 0; i < keys.Length; i++)
            candidates[i] = blocks[i] != None ? run.Tables[tables[i]].Table.FindCandidates(blocks[i], hashes[i]) : 0;
        for (var i = 0; i < keys.Length; i++)
        {
            if (candidates[i] == 0) continue;
            var row = run.Tables[tables[i]].Table.FindRow(blocks[i], keys[i].Span, candidates[i]);
            if (row.Exists) found[i] = row;
        }
    }
}
