using Varve.Format;
using Varve.Storage;
using Varve.Tables;

namespace Varve.Versions;

/// <summary>An open table that versions share. Its file goes when the manifest no longer names it and nothing uses it.</summary>
internal sealed class TableHandle(IStorage storage, string path, Table table) : Shared
{
    private volatile bool _obsolete;

    public Table Table { get; } = table;

    public TableDescriptor Descriptor => Table.Descriptor;

    public string Path { get; } = path;

    /// <summary>Says that a synced manifest record dropped the table (invariant I5).</summary>
    public void MarkObsolete() => _obsolete = true;

    protected override void Free()
    {
        Table.Dispose();
        if (!_obsolete) return;
        try
        {
            storage.Delete(Path);
        }
        catch (IOException)
        {
            // Swept at the next open.
        }
    }
}
