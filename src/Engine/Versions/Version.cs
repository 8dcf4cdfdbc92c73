using Varve.Format;
using Varve.Tables;

namespace Varve.Versions;

/// <summary>
/// An immutable set of memtables and runs: all the places where a key can be, newest first. Readers take the current one
/// under a pin; what outlives a call holds a reference. A pinned version keeps its own memtables, so nothing ever has to be
/// kept in tables for the sake of an old reader.
/// </summary>
internal sealed unsafe class Version : Shared
{
    public Version(Incarnation incarnation, Memtable[] memtables, Run[] runs, MachineState baseState)
    {
        Incarnation = incarnation;
        Memtables = memtables;
        Runs = runs;
        Base = baseState;
        foreach (var memtable in memtables) memtable.Acquire();
        foreach (var run in runs)
            foreach (var table in run.Tables) table.Acquire();
    }

    public Incarnation Incarnation { get; }

    /// <summary>Newest first; the first is the active one. Never empty.</summary>
    public Memtable[] Memtables { get; }

    /// <summary>Newest first; the last is the bottom.</summary>
    public Run[] Runs { get; }

    /// <summary>The machine's state as of the tables alone.</summary>
    public MachineState Base { get; }

    /// <summary>The newest version of a key at a revision, whatever it is; false when there is none.</summary>
    public bool TryFind(ReadOnlySpan<byte> key, ulong hash, ulong revision, out Found found)
    {
        foreach (var memtable in Memtables)
        {
            var reference = memtable.Index.FindVisible(key, hash, revision);
            if (reference == 0) continue;
            found = new Found(memtable, reference);
            return true;
        }

        return TryFindInRuns(key, hash, out found);
    }

    /// <summary>As <see cref="TryFind"/>, in the tables alone.</summary>
    public bool TryFindInRuns(ReadOnlySpan<byte> key, ulong hash, out Found found)
    {
        foreach (var run in Runs)
        {
            var tables = run.Tables;
            var at = tables.Length == 1 ? 0 : run.IndexFor(key);
            if (at == tables.Length) continue;
            var table = tables[at].Table;
            if (!table.TryGet(key, hash, out var row)) continue;
            found = new Found(table, row);
            return true;
        }

        found = default;
        return false;
    }

    protected override void Free()
    {
        foreach (var memtable in Memtables) memtable.Release();
        foreach (var run in Runs)
            foreach (var table in run.Tables) table.Release();
    }
}

/// <summary>A version of a key where it stands; the memory lives as long as the pin or reference under which it was found.</summary>
internal readonly unsafe struct Found
{
    private readonly byte* _value;
    private readonly int _length;

    public Found(Memtable memtable, uint reference)
    {
        var view = new WalOperationView(memtable.Segment.Base + (long)reference * WalOperation.Alignment);
        Source = memtable;
        Reference = reference;
        Kind = view.Kind;
        Deadline = view.Deadline;
        _length = view.ValueLength;
        _value = view.Start + WalOperation.HeaderSize + view.KeyLength;
    }

    public Found(Table table, TableRow row)
    {
        Source = table;
        Kind = row.Kind;
        Deadline = row.Deadline;
        _value = row.ValueAddress;
        _length = row.ValueLength;
    }

    /// <summary>The memtable or table in which it stands.</summary>
    public object Source { get; }

    /// <summary>In a memtable, the operation.</summary>
    public uint Reference { get; }

    public RecordKind Kind { get; }

    public ulong Deadline { get; }

    public ReadOnlySpan<byte> Value => new(_value, _length);

    /// <summary>True when it is a value that has not expired at a time.</summary>
    public bool IsLiveAt(ulong timeMs) => Liveness.IsLive(Kind, Deadline, timeMs);
}

/// <summary>The one rule of what is there: a put, until its deadline is reached.</summary>
internal static class Liveness
{
    public static bool IsLive(RecordKind kind, ulong deadline, ulong timeMs) =>
        kind == RecordKind.Put || (kind == RecordKind.LeasedPut && timeMs < deadline);
}
