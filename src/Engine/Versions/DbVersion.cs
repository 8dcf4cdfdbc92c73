using System.Numerics;
using System.Runtime.CompilerServices;
using Varve.Epochs;
using Varve.Format;
using Varve.Memtables;
using Varve.Tables;

namespace Varve.Versions;

/// <summary>
/// An immutable set of memtables and runs: all the places where a key can be, newest first. Readers take the current
/// one under a pin; work that outlives a pin holds a reference or a hold (I8). A version keeps its own memtables, so no
/// table has to keep old versions of keys for an old reader (I9).
/// </summary>
internal sealed class DbVersion : RefCounted
{
    private readonly Run? _onlyRun;
    private readonly MemtableIndex? _onlyMemtable;

    public DbVersion(StateGeneration generation, Memtable[] memtables, Run[] runs, MachineState baseState)
    {
        Generation = generation;
        Memtables = memtables;
        Runs = runs;
        Base = baseState;
        Applied = generation.Applied;
        TableHasher = generation.TableHasher;
        MemtableHasher = generation.MemtableHasher;
        if (runs is [var only]) _onlyRun = only;
        if (memtables is [var memtable]) _onlyMemtable = memtable.Index;
        foreach (var shared in memtables) shared.Acquire();
        foreach (var run in runs)
            foreach (var shared in run.Tables) shared.Acquire();
    }

    public StateGeneration Generation { get; }

    /// <summary>The generation's published position.</summary>
    public AppliedPosition Applied { get; }

    /// <summary>Its memtables, newest first. The first is the active one; there is always one.</summary>
    public Memtable[] Memtables { get; }

    /// <summary>Its runs, newest first. The last is the bottom run.</summary>
    public Run[] Runs { get; }

    /// <summary>The machine's state as of the tables alone.</summary>
    public MachineState Base { get; }

    /// <summary>
    /// The largest deadline that clean-ups had reported when an index was the last applied one, which is not below the
    /// base.
    /// </summary>
    public ulong CleanedAt(ulong index) =>
        Memtables.Aggregate(Base.CleanedTimeMs, (cleaned, memtable) => Math.Max(cleaned, memtable.CleanedAt(index)));

    /// <summary>The index of a key's newest version in the memtables, published or not; 0 if they have none.</summary>
    public ulong NewestIndexInMemtables(ReadOnlySpan<byte> key)
    {
        var hash = MemtableHasher.Of(key);
        foreach (var memtable in Memtables)
        {
            if (memtable.Index.KeyCount == 0) continue;
            var reference = memtable.Index.FindVisible(key, hash, ulong.MaxValue);
            if (!reference.IsNone) return memtable.Index.OperationAt(reference).Index;
        }

        return 0;
    }

    /// <summary>Hashes keys for the runs.</summary>
    public KeyHasher TableHasher { get; }

    /// <summary>Hashes keys for the memtables.</summary>
    public KeyHasher MemtableHasher { get; }

    /// <summary>The newest version of a key at a revision, also a tombstone; false if there is none.</summary>
    public bool TryFind(ReadOnlySpan<byte> key, ulong revision, out KeyVersion found) =>
        (found = Find(key, revision)).Exists;

    /// <summary>
    /// The newest version of a key at a revision; the caller has the hash of <see cref="MemtableHasher"/> already.
    /// </summary>
    public bool TryFindHashed(ReadOnlySpan<byte> key, ulong memtableHash, ulong revision, out KeyVersion found) =>
        (found = FindAnywhere(key, memtableHash, revision)).Exists;

    /// <summary>The version of a key in the tables alone; false if there is none.</summary>
    public bool TryFindInRuns(ReadOnlySpan<byte> key, out KeyVersion found) =>
        (found = FindInRuns(Runs, key, TableHasher.Of(key))).Exists;

    /// <summary>
    /// The newest version of a key at a revision, for the hot path: it is returned in registers, and a database of one
    /// run with an empty memtable takes a shorter path.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public KeyVersion Find(ReadOnlySpan<byte> key, ulong revision) =>
        _onlyRun is { } run && _onlyMemtable is { KeyCount: 0 }
            ? run.Find(key, TableHasher.Of(key))
            : FindAnywhere(key, revision);

    [MethodImpl(MethodImplOptions.NoInlining)] // keeps the shorter path small in each caller
    private KeyVersion FindAnywhere(ReadOnlySpan<byte> key, ulong revision) =>
        FindAnywhere(key, MemtableHasher.Of(key), revision);

    private KeyVersion FindAnywhere(ReadOnlySpan<byte> key, ulong memtableHash, ulong revision)
    {
        foreach (var memtable in Memtables)
        {
            if (memtable.Index.KeyCount == 0) continue;
            var reference = memtable.Index.FindVisible(key, memtableHash, revision);
            if (!reference.IsNone) return new KeyVersion(memtable.Index.OperationAt(reference));
        }

        return FindInRuns(Runs, key, TableHasher.Of(key));
    }

    /// <summary>
    /// The newest version of a key in runs, newest first. All filters are probed before any answer is used, so that
    /// their cache misses overlap and no branch depends on which run has the key.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static KeyVersion FindInRuns(Run[] runs, ReadOnlySpan<byte> key, ulong hash)
    {
        const int Group = 64;
        for (var first = 0; first < runs.Length; first += Group)
        {
            ulong candidates = 0;
            for (var i = 0; i < Group && first + i < runs.Length; i++)
                if (runs[first + i].TableFor(key) is { } table) candidates |= (table.MayContain(hash) ? 1UL : 0) << i;
            for (; candidates != 0; candidates &= candidates - 1)
            {
                var row =
                    runs[first + BitOperations.TrailingZeroCount(candidates)].TableFor(key)!.FindUnfiltered(key, hash);
                if (row.Exists) return row;
            }
        }

        return default;
    }

    /// <summary>
    /// Bytes of the memtables and tables that another version does not have. The caller needs no reference: no memory
    /// of them is touched.
    /// </summary>
    public long BytesBeside(DbVersion other)
    {
        var tables = other.Runs.SelectMany(run => run.Tables).ToHashSet();
        return Memtables.Except(other.Memtables).Sum(memtable => memtable.Bytes)
            + Runs.SelectMany(run => run.Tables).Where(table => !tables.Contains(table))
                .Sum(table => table.Descriptor.Length);
    }

    protected override void Free()
    {
        foreach (var memtable in Memtables) memtable.Release();
        foreach (var run in Runs)
            foreach (var table in run.Tables) table.Release();
    }
}
