using Varve.Format;
using Varve.Memtables;
using Varve.Tables;

namespace Varve.Versions;

/// <summary>
/// A step from one version to the next, as data: encoded as the manifest's edit, and applied to the version that is
/// current at the switch. It names only what it changes, because memtables rotate while its edit is synced; a version
/// that was built before the sync would lose the new ones.
/// </summary>
internal sealed class VersionChange
{
    /// <summary>The generation that it changes. Once another generation is current, the change is void.</summary>
    public required StateGeneration Generation { get; init; }

    /// <summary>The memtable that leaves, the oldest one; null: all stay.</summary>
    public Memtable? MemtableOut { get; init; }

    /// <summary>The runs that leave, which are neighbours; newest first.</summary>
    public Run[] RunsOut { get; init; } = [];

    /// <summary>
    /// The run that takes the place of those that leave, or becomes the newest one if none does; null: none.
    /// </summary>
    public Run? RunIn { get; init; }

    /// <summary>The machine's state as of the tables; null: unchanged.</summary>
    public MachineState? BaseState { get; init; }

    /// <summary>The number of the first WAL segment that recovery reads after the change.</summary>
    public required ulong FirstSegment { get; init; }

    private IEnumerable<TableHandle> TablesOut => RunsOut.SelectMany(run => run.Tables);

    private IEnumerable<TableHandle> TablesIn => RunIn?.Tables ?? [];

    /// <summary>The manifest's record of the change.</summary>
    public VersionEdit ToEdit(ulong nextFileNumber) => new()
    {
        NextFileNumber = nextFileNumber,
        FirstSegment = FirstSegment,
        State = BaseState,
        Removed = [.. TablesOut.Select(table => table.Descriptor.Number)],
        Added = [.. TablesIn.Select(table => new AddedTable(RunIn!.Order, table.Descriptor))],
    };

    /// <summary>The version that the change makes of another one of its generation.</summary>
    public DbVersion ApplyTo(DbVersion current)
    {
        var at = RunsOut.Length > 0 ? Array.IndexOf(current.Runs, RunsOut[0]) : 0;
        Run[] merged = RunIn is null ? [] : [RunIn];
        return new DbVersion(
            Generation,
            MemtableOut is null ? current.Memtables : current.Memtables[..^1],
            [.. current.Runs[..at], .. merged, .. current.Runs[(at + RunsOut.Length)..]],
            BaseState ?? current.Base);
    }

    /// <summary>
    /// Marks the files that the change makes needless, which a synced record no longer names (I5). Call it before the
    /// switch: from there on another thread may free what is to be marked.
    /// </summary>
    public void MarkReplacedFiles(RecycledFiles spares)
    {
        MemtableOut?.DropSegment();
        foreach (var table in TablesOut.Except(TablesIn)) table.DropFile(spares);
    }

    /// <summary>Marks the tables that it adds, whose files no manifest record names.</summary>
    public void MarkNewFiles()
    {
        foreach (var table in TablesIn.Except(TablesOut)) table.DropFile();
    }
}
