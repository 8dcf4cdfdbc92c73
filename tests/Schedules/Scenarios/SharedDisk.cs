using Varve.Storage;
using Varve.Tests.Schedules.Control;
using Varve.Tests.Shared;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>
/// A simulated disk that several engines share, as processes share a disk. Whatever another engine can see or change is
/// one step, and a point where threads may switch.
/// </summary>
internal sealed class SharedDisk(SimFs disk) : StorageLayer(disk)
{
    public override bool FileExists(string path) => At("exists ", path).FileExists(path);

    public override IReadOnlyList<string> List(string directory) => At("list ", directory).List(directory);

    public override IStorageFile Open(string path, FileIntent intent) =>
        new SharedFile(At("open ", path).Open(path, intent));

    public override bool TryLink(string existingPath, string newPath) =>
        At("link ", newPath).TryLink(existingPath, newPath);

    public override void Rename(string from, string to) => At("rename ", from).Rename(from, to);

    public override void Delete(string path) => At("delete ", path).Delete(path);

    public override IDisposable? TryLock(string path) => At("lock ", path).TryLock(path);

    public override IDisposable? TryShare(string path) =>
        At("share ", path).TryShare(path) is { } share ? new Share(share, path) : null;

    public override bool IsShared(string path) => At("look for shares of ", path).IsShared(path);

    public override IStorageFile? TryTakeOver(string path, string newPath) =>
        At("take over ", path).TryTakeOver(path, newPath) is { } file ? new SharedFile(file) : null;

    private IStorage At(string what, string path)
    {
        Point(what, path);
        return Inner;
    }

    private static void Point(string what, string path) => Controlled.Current?.SharedPoint(what, path);

    private sealed class Share(IDisposable share, string path) : IDisposable
    {
        public void Dispose()
        {
            Point("end of a share of ", path);
            share.Dispose();
        }
    }

    private sealed class SharedFile(IStorageFile file) : FileLayer(file)
    {
        public override void Read(long offset, Span<byte> destination)
        {
            Point("read ", Path);
            base.Read(offset, destination);
        }

        public override void Write(long offset, ReadOnlySpan<byte> source)
        {
            Point("write ", Path);
            base.Write(offset, source);
        }

        public override IMapping Map(long length, MappingAccess access) =>
            new SharedMapping(Inner.Map(length, access), Path);
    }

    private sealed class SharedMapping(IMapping mapping, string path) : MappingLayer(mapping)
    {
        /// <summary>Stores are visible from here on.</summary>
        public override void Dirtied(long offset, long length)
        {
            Point("store to ", path);
            base.Dirtied(offset, length);
        }
    }
}
