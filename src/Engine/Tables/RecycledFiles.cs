using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// Files of tables that the manifest dropped and nobody reads any more, kept to be written over: filling fresh memory
/// of the page cache costs several times what all else of writing a table does (docs/decisions/0014), and these have
/// theirs. They keep the names that they had, which are swept at the next open. Any thread.
/// </summary>
/// <remarks>
/// Not handed out while somebody has a share of the directory (<see cref="DirectoryClaim"/>), whose mappings may still
/// show the old table; nor where a snapshot, or anybody else, gave the file a second name (invariant I7).
/// </remarks>
internal sealed class RecycledFiles(IStorage storage, string directory, long bytesMax)
{
    private readonly Lock _lock = new();
    private readonly List<(string Path, long Length)> _files = [];
    private bool _keeps = true;
    private bool _closed;

    /// <summary>Bytes of the files kept.</summary>
    public long Bytes { get; private set; }

    /// <summary>Takes a file back, or deletes it.</summary>
    public void Add(string path, long length)
    {
        lock (_lock)
        {
            if (_keeps && !_closed && Bytes + length <= bytesMax)
            {
                _files.Add((path, length));
                Bytes += length;
                return;
            }
        }

        DurableFile.TryDelete(storage, path);
    }

    /// <summary>
    /// A file to write a table of about a length into, under a new name; a new one where there is none.
    /// </summary>
    public IStorageFile Open(string path, long lengthExpected)
    {
        lock (_lock) _keeps = true;
        while (TryTake(lengthExpected) is { } spare)
        {
            IStorageFile? file = null;
            try
            {
                if (!DirectoryClaim.IsShared(storage, directory)) file = storage.TryTakeOver(spare, path);
            }
            finally
            {
                if (file is null) DurableFile.TryDelete(storage, spare);
            }

            if (file is not null) return file;
        }

        return storage.Open(path, FileIntent.CreateNew);
    }

    /// <summary>
    /// Deletes all of them, and what comes until one is asked for: there is nothing to be written soon, or no room on
    /// the disk.
    /// </summary>
    public void Clear()
    {
        lock (_lock) _keeps = false;
        while (TryTake(long.MaxValue) is { } spare) DurableFile.TryDelete(storage, spare);
    }

    /// <summary>As <see cref="Clear"/>, for good.</summary>
    public void Close()
    {
        lock (_lock) _closed = true;
        Clear();
    }

    /// <summary>
    /// Takes out the file whose length is nearest; none that is over twice as long, for what is too much of it would be
    /// lost.
    /// </summary>
    private string? TryTake(long lengthExpected)
    {
        lock (_lock)
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
