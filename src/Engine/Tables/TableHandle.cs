using Varve.Epochs;
using Varve.Format;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// An open table that versions share. Its file goes when the manifest no longer names it and nothing uses it, or is
/// kept to be written over.
/// </summary>
internal sealed class TableHandle(IStorage storage, string path, Table table) : RefCounted
{
    private volatile bool _obsolete;
    private RecycledFiles? _spares;

    /// <summary>Opens tables that were just written; the caller's one reference each.</summary>
    public static List<TableHandle> OpenAll(
        IStorage storage, List<(string Path, TableDescriptor Descriptor)> tables, EngineOptions options)
    {
        var opened = new List<TableHandle>();
        try
        {
            foreach (var (path, descriptor) in tables) opened.Add(Open(storage, path, descriptor, options));
        }
        catch (IOException e) when (Shortage.IsMet(e))
        {
            // The step is tried again, and writes others.
            opened.ForEach(static table => table.Release());
            foreach (var (path, _) in tables) DurableFile.TryDelete(storage, path);
            throw;
        }

        return opened;
    }

    /// <summary>Opens a table; the caller's one reference.</summary>
    public static TableHandle Open(IStorage storage, string path, TableDescriptor descriptor, EngineOptions options) =>
        new(storage, path, Table.Open(storage, path, descriptor, options.ParanoidChecks, options.TableAccess));

    public Table Table { get; } = table;

    public TableDescriptor Descriptor => Table.Descriptor;

    public string Path { get; } = path;

    /// <summary>
    /// Says that a synced manifest record dropped the table (invariant I5), or that none ever named it.
    /// </summary>
    /// <param name="spares">Who may have the file; null: it is deleted.</param>
    public void MarkObsolete(RecycledFiles? spares = null)
    {
        _spares = spares;
        _obsolete = true;
    }

    protected override void Free()
    {
        Table.Dispose();
        if (!_obsolete) return;
        if (_spares is not null) _spares.Add(Path, Descriptor.Length);
        else DurableFile.TryDelete(storage, Path);
    }
}
