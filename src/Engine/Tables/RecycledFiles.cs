using Varve.Epochs;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// Files of tables that the manifest dropped and no reader has mapped, kept to be written over. Filling fresh pages of
/// the page cache costs several times the rest of writing a table (docs/decisions/0014); these files have their pages.
/// They keep their old names, which the next open sweeps. Any thread.
/// </summary>
/// <remarks>
/// A file is not reused while another engine has a share of the directory (<see cref="DirectoryClaim"/>), since its
/// mappings may show the old table (I8), nor if the file has a second name, such as a snapshot's (I7).
/// </remarks>
internal sealed class RecycledFiles(IStorage storage, string directory, long bytesMax) : IDisposable
{
    private readonly RankedLock _lock = new(LockOrder.RecycledFiles);
    private readonly List<(string Path, long Length)> _files = [];
    private bool _keeps = true;
    private bool _disposed;

    /// <summary>Bytes of the files kept.</summary>
    public long Bytes { get; private set; }

    /// <summary>Keeps a file for reuse, or deletes it if there is no room.</summary>
    public void Add(string path, long length)
    {
        using (_lock.Enter())
        {
            if (_keeps && !_disposed && Bytes + length <= bytesMax)
            {
                _files.Add((path, length));
                Bytes += length;
                return;
            }
        }

        DurableFile.TryDelete(storage, path);
    }

    /// <summary>
    /// Opens a file for a table of about this length under a new name: a kept one, or else a new one.
    /// </summary>
    public IStorageFile Open(string path, long lengthExpected)
    {
        using (_lock.Enter()) _keeps = true;
        while (TryDequeue(lengthExpected) is { } kept)
        {
            IStorageFile? file = null;
            try
            {
                if (!DirectoryClaim.IsShared(storage, directory)) file = storage.TryTakeOver(kept, path);
            }
            finally
            {
                if (file is null) DurableFile.TryDelete(storage, kept);
            }

            if (file is not null) return file;
        }

        return storage.Open(path, FileIntent.CreateNew);
    }

    /// <summary>
    /// Deletes all kept files, and those added until the next <see cref="Open"/>: no table will be written soon, or the
    /// disk is full.
    /// </summary>
    public void Release()
    {
        using (_lock.Enter()) _keeps = false;
        while (TryDequeue(long.MaxValue) is { } kept) DurableFile.TryDelete(storage, kept);
    }

    /// <summary>Deletes all kept files and keeps no more.</summary>
    public void Dispose()
    {
        using (_lock.Enter()) _disposed = true;
        Release();
    }

    /// <summary>
    /// Removes the file whose length is nearest from the list and returns its path. A file over twice as long is left:
    /// the excess would be cut off and its pages lost.
    /// </summary>
    private string? TryDequeue(long lengthExpected)
    {
        using (_lock.Enter())
        {
            var best = -1;
            for (var i = 0; i < _files.Count; i++)
            {
                if (_files[i].Length / 2 > lengthExpected) continue;
                if (best < 0
                    || Math.Abs(_files[i].Length - lengthExpected) < Math.Abs(_files[best].Length - lengthExpected))
                    best = i;
            }

            if (best < 0) return null;
            var (path, length) = _files[best];
            _files.RemoveAt(best);
            Bytes -= length;
            return path;
        }
    }
}
