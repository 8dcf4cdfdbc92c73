using Varve.Epochs;
using Varve.Format;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// An open table that versions share by reference count. Once the manifest no longer names its file and the last
/// reference is released, the file is deleted or recycled.
/// </summary>
internal sealed class TableHandle(IStorage storage, string path, Table table) : RefCounted
{
    private volatile bool _isDropped;
    private RecycledFiles? _recycled;

    /// <summary>
    /// Opens tables that were just written, with one reference each for the caller. After a shortage it deletes them:
    /// the caller tries the step again and writes others.
    /// </summary>
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
            opened.ForEach(static table => table.Release());
            foreach (var (path, _) in tables) DurableFile.TryDelete(storage, path);
            throw;
        }

        return opened;
    }

    /// <summary>Opens a table, with one reference for the caller.</summary>
    public static TableHandle Open(IStorage storage, string path, TableDescriptor descriptor, EngineOptions options) =>
        new(storage, path, Table.Open(storage, path, descriptor, options.ParanoidChecks, options.TableAccess));

    public Table Table { get; } = table;

    public TableDescriptor Descriptor => Table.Descriptor;

    public string Path { get; } = path;

    /// <summary>
    /// Drops the file with the last reference. A synced manifest record has dropped the table (I5), or none ever named
    /// it.
    /// </summary>
    /// <param name="recycled">Receives the file; null to delete it.</param>
    public void DropFile(RecycledFiles? recycled = null)
    {
        _recycled = recycled;
        _isDropped = true;
    }

    protected override void Free()
    {
        Table.Dispose();
        if (!_isDropped) return;
        if (_recycled is not null) _recycled.Add(Path, Descriptor.Length);
        else DurableFile.TryDelete(storage, Path);
    }
}
