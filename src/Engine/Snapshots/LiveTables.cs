using System.Buffers.Binary;
using Varve.Reading;
using Varve.Versions;

namespace Varve.Snapshots;

/// <summary>
/// Links tables of the present state into snapshots that a receiver assembles. The version is held until the link is
/// made and read-only, so no compaction drops the file meanwhile (I7, I8).
/// </summary>
internal sealed class LiveTables(VersionSet versions, ReadSessions sessions)
{
    private const int HashLength = 16;

    /// <inheritdoc cref="LsmStateMachine.TryLinkSnapshotFile"/>
    public bool TryLink(SnapshotFile file, string destination)
    {
        if (file.Hash.Length != HashLength)
            throw new ArgumentException(
                $"The hash has {file.Hash.Length} bytes; XXH128 has {HashLength}.", nameof(file));
        var hash = BinaryPrimitives.ReadUInt128BigEndian(file.Hash.Span);
        var path = Path.GetFullPath(destination);
        var storage = versions.Storage;
        if (storage.FileExists(path)) throw new IOException($"{path}: exists already");
        var directory = Path.GetDirectoryName(path) ?? path;
        if (!storage.DirectoryExists(directory))
            throw new DirectoryNotFoundException($"{directory}: no such directory; create it before the link");
        var version = sessions.AcquireCurrent();
        try
        {
            var table = version.Runs.SelectMany(run => run.Tables)
                .FirstOrDefault(table => table.Descriptor.Hash == hash && table.Descriptor.Length == file.Length);
            if (table is null || !storage.TryLink(table.Path, path)) return false;
            storage.MakeReadOnly(path);
            storage.SyncDirectory(directory);
            return true;
        }
        catch (FileNotFoundException) when (storage.DirectoryExists(directory))
        {
            return false; // a reader's table, whose file the writer has deleted
        }
        finally
        {
            version.Release();
        }
    }
}
