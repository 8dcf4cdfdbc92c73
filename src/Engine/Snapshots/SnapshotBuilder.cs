using System.Security.Cryptography;
using CommunityToolkit.HighPerformance.Buffers;
using Varve.Format;
using Varve.Iterators;
using Varve.Storage;
using Varve.Tables;
using Varve.Versions;

namespace Varve.Snapshots;

/// <summary>
/// Makes a snapshot's directory from a version. Hard-links the version's tables (or copies them, if the file system has
/// no links to the target), and writes the memtables, cut at exactly the requested index, as one more run, the tail.
/// All files are gathered beside the target, synced, and renamed into place (<see cref="SnapshotTarget"/>): the target
/// holds the whole snapshot or nothing. Only immutable, synced tables are linked (I7).
/// </summary>
internal sealed class SnapshotBuilder(
    IStorage storage, Guid databaseId, Guid tailOrigin, FileNumbers numbers, EngineOptions options, DbVersion version,
    ulong lastIncluded, CancellationToken token)
{
    private const int CopyPiece = 1 << 20;
    private const int RowsBetweenLooks = 4096;

    private SnapshotTarget? _target;

    /// <summary>Bytes written so far: tail, manifest and copied tables.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>Builds the snapshot and returns its checksum: SHA-256 of the manifest file.</summary>
    /// <param name="target">Path of the snapshot's directory.</param>
    /// <param name="state">The state at the cut.</param>
    /// <param name="tables">Number of tables in the snapshot.</param>
    /// <exception cref="IOException">The target is not empty, or the disk failed; nothing is left behind.</exception>
    public byte[] Build(string target, MachineState state, out int tables)
    {
        _target = SnapshotTarget.Begin(storage, target);
        var building = _target.Building;
        try
        {
            var added = new List<AddedTable>();
            WriteTail(building, added);
            foreach (var run in version.Runs)
            {
                foreach (var table in run.Tables)
                {
                    token.ThrowIfCancellationRequested();
                    var path = Path.Combine(building, SnapshotNames.Table(table.Descriptor));
                    LinkOrCopy(table, path);
                    added.Add(new AddedTable(run.Order, table.Descriptor));
                }
            }

            var manifest = SnapshotManifestCodec.Encode(
                new SnapshotManifest { DatabaseId = databaseId, State = state, Tables = [.. added] });
            using (var file = storage.Open(Path.Combine(building, SnapshotNames.Manifest), FileIntent.CreateNew))
            {
                file.Write(0, manifest);
                file.Sync();
                BytesWritten += manifest.Length;
            }

            foreach (var name in storage.List(building)) storage.MakeReadOnly(Path.Combine(building, name));
            storage.SyncDirectory(building);
            token.ThrowIfCancellationRequested();
            _target.Publish();
            tables = added.Count;
            return SHA256.HashData(manifest);
        }
        catch (IOException e) when (_target.IsTaken)
        {
            Delete();
            throw new IOException($"{target}: another snapshot was published here meanwhile", e);
        }
        catch
        {
            Delete();
            throw;
        }
    }

    private void WriteTail(string building, List<AddedTable> added)
    {
        using var batch = new TableSetWriter(
            storage, building, tailOrigin, numbers, version.Generation.HashSeed, options, options.TableBytes);
        using var cursor = new MergingIterator();
        cursor.Open(version.Memtables, [], lastIncluded);
        try
        {
            var rows = 0;
            for (cursor.SeekFirst(); cursor.IsValid; cursor.Move())
            {
                // Without runs below the tail a tombstone hides nothing.
                if (cursor.Kind != RecordKind.Tombstone || version.Runs.Length > 0)
                    batch.Add(cursor.Key, cursor.Kind, cursor.Deadline, cursor.Value);
                if (++rows % RowsBetweenLooks == 0) token.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            cursor.Release();
        }

        var order = (version.Runs.Length == 0 ? 0 : version.Runs[0].Order) + 1;
        var finished = batch.Finish(SnapshotNames.Table);
        BytesWritten += batch.BytesWritten;
        foreach (var (_, descriptor) in finished) added.Add(new AddedTable(order, descriptor));
    }

    private void LinkOrCopy(TableHandle table, string path)
    {
        try
        {
            if (!storage.TryLink(table.Path, path)) Copy(table.Path, path);
        }
        catch (FileNotFoundException) when (options.ReadOnly)
        {
            // The writer has deleted the table after a compaction; it is still mapped here.
            DurableFile.TryDelete(storage, path);
            using var target = storage.Open(path, FileIntent.CreateNew);
            for (long offset = 0; offset < table.Descriptor.Length; offset += CopyPiece)
            {
                token.ThrowIfCancellationRequested();
                target.Write(
                    offset, table.Table.Bytes(offset, (int)Math.Min(CopyPiece, table.Descriptor.Length - offset)));
            }

            target.Sync();
            BytesWritten += table.Descriptor.Length;
        }
    }

    private void Copy(string from, string to)
    {
        using var source = storage.Open(from, FileIntent.Read);
        using var target = storage.Open(to, FileIntent.CreateNew);
        using var buffer = SpanOwner<byte>.Allocate(CopyPiece);
        var length = source.Length;
        for (long offset = 0; offset < length; offset += CopyPiece)
        {
            token.ThrowIfCancellationRequested();
            var piece = buffer.Span[..(int)Math.Min(CopyPiece, length - offset)];
            source.Read(offset, piece);
            target.Write(offset, piece);
        }

        target.Sync();
        BytesWritten += length;
    }

    /// <summary>Deletes the gathered or published files, as far as the disk allows.</summary>
    public void Delete()
    {
        try
        {
            _target?.Delete();
        }
        catch (IOException)
        {
            // The caller reports the first failure. The next snapshot of this name deletes the rest.
        }
    }
}
