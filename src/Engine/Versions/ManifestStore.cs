using System.Buffers.Binary;
using System.Security.Cryptography;
using Varve.Format;
using Varve.Storage;

namespace Varve.Versions;

/// <summary>
/// The manifest: a log of version edits, each synced before anything acts on it (I5). CURRENT names the manifest file.
/// A new file, with one edit that is the sum of all, replaces one that has grown, and one that an open has read. One
/// thread at a time.
/// </summary>
internal sealed class ManifestStore : IDisposable
{
    /// <summary>
    /// The step in which a manifest file grows, in bytes. A file that CURRENT names is at least this long.
    /// </summary>
    public const long Ahead = 64 << 10;

    /// <summary>
    /// A manifest longer than this is written anew if it has doubled since it was written.
    /// </summary>
    private const long RewriteAbove = 4 << 20;

    private const int GrowthMax = 2;
    private readonly IStorage _storage;
    private readonly string _directory;
    private readonly Guid _databaseId;
    private readonly FileNumbers _numbers;
    private IStorageFile? _file;
    private ulong _salt;
    private long _end;
    private long _rewritten;
    private long _allocated;
    private bool _isUnknown;

    private ManifestStore(
        IStorage storage, string directory, Guid databaseId, FileNumbers numbers, ManifestContent content)
    {
        _storage = storage;
        _directory = directory;
        _databaseId = databaseId;
        _numbers = numbers;
        Content = content;
    }

    /// <summary>The sum of the edits.</summary>
    public ManifestContent Content { get; }

    public ulong Number { get; private set; }

    /// <summary>
    /// True if a loaded manifest is still the one that CURRENT names, with no record after those that were read. For a
    /// read-only engine.
    /// </summary>
    public bool IsCurrent(PointerFile current)
    {
        if (current.ManifestNumber != Number) return false;
        try
        {
            using var file = _storage.Open(PathOf(Number), FileIntent.Read);
            Span<byte> beginning = stackalloc byte[ManifestLog.RecordHeaderSize];
            if (file.Length < _end + beginning.Length) return file.Length <= _end;
            file.Read(_end, beginning);
            return !beginning.ContainsAnyExcept((byte)0);
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Length of its file, in bytes.</summary>
    public long Length => Math.Max(_allocated, _end);

    /// <summary>Bytes that this instance has written, to edits and to new files.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>Creates the manifest of a new database and points CURRENT at it.</summary>
    public static ManifestStore Create(
        IStorage storage, string directory, Guid databaseId, FileNumbers numbers, VersionEdit first)
    {
        var content = new ManifestContent();
        content.Apply(first);
        var store = new ManifestStore(storage, directory, databaseId, numbers, content);
        store.Rewrite();
        return store;
    }

    /// <summary>
    /// Reads the manifest that CURRENT names. Writes nothing; call <see cref="BeginWriting"/> before the first append.
    /// </summary>
    public static ManifestStore Load(IStorage storage, string directory, PointerFile current, FileNumbers numbers)
    {
        var path = System.IO.Path.Combine(directory, FileNames.Manifest(current.ManifestNumber));
        var read = ManifestReader.Read(storage, path, current.DatabaseId, static damage => throw damage)!;
        return new ManifestStore(storage, directory, current.DatabaseId, numbers, read.Content)
        {
            Number = current.ManifestNumber,
            _salt = read.Salt,
            _end = read.End,
        };
    }

    /// <summary>
    /// Prepares a loaded manifest for appends by writing it anew. Its bytes may be in the page cache alone, and files
    /// that are deleted because it does not name them must not be needed after a power loss (I5).
    /// </summary>
    public void BeginWriting() => Rewrite();

    /// <summary>
    /// Makes an edit durable. A <see cref="StorageFullException"/> leaves the manifest as it was; any other failure is
    /// final.
    /// </summary>
    public void Append(VersionEdit edit)
    {
        var isWriting = false;
        Append(edit, ref isWriting);
    }

    /// <summary>
    /// Makes an edit durable. <paramref name="isWriting"/> is set once the edit may be in the file; all memory is
    /// allocated before that, and an exception before that has changed nothing.
    /// </summary>
    public void Append(VersionEdit edit, ref bool isWriting)
    {
        if (_isUnknown)
            throw new IOException(
                $"{PathOf(Number)}: an earlier sync failed, so the end of the manifest is unknown; open the database "
                    + "again.");
        // Before the append, not after it: a durable edit must not be reported as failed.
        if (_end > Math.Max(RewriteAbove, GrowthMax * _rewritten)) Rewrite();
        var record = ManifestLog.EncodeRecord(_salt, _end, VersionEditCodec.Encode(edit));
        if (_end + record.Length > _allocated)
        {
            var length = (_end + record.Length + Ahead - 1) / Ahead * Ahead;
            _file!.Allocate(length);
            _allocated = length;
        }

        Content.Reserve(edit);
        isWriting = true;
        // The checksum last: a failed write may have written a part, and an edit that ends in zeros is whole without
        // its end.
        _file!.Write(_end + ManifestLog.ChecksumSize, record.AsSpan(ManifestLog.ChecksumSize));
        _file.Write(_end, record.AsSpan(0, ManifestLog.ChecksumSize));
        try
        {
            _file.Sync();
        }
        catch (IOException e)
        {
            _isUnknown = true;
            if (e is not StorageFullException) throw;
            throw new IOException(
                $"{PathOf(Number)}: sync failed, so the edit at offset {_end} may or may not be durable.", e);
        }

        _end += record.Length;
        BytesWritten += record.Length;
        if (Content.Apply(edit) is { } fault)
            throw new InvalidOperationException($"Version edit at offset {_end - record.Length}: {fault}.");
    }

    public void Dispose() => _file?.Dispose();

    private void Rewrite()
    {
        var number = _numbers.Next();
        var path = PathOf(number);
        var salt = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8));
        var old = Number;
        IStorageFile? file = null;
        try
        {
            file = _storage.Open(path, FileIntent.CreateNew);
            file.Allocate(Ahead);
            file.Write(0, ManifestLog.EncodeHeader(_databaseId, salt));
            var record = ManifestLog.EncodeRecord(
                salt, ManifestLog.HeaderSize, VersionEditCodec.Encode(Content.ToEdit(_numbers.Peek)));
            file.Write(ManifestLog.HeaderSize, record);
            file.Sync();
            _storage.SyncDirectory(_directory);
            DurableFile.Replace(
                _storage, System.IO.Path.Combine(_directory, FileNames.Current),
                new PointerFile(_databaseId, number).Encode(), ref _isUnknown);
            _isUnknown = false;
            _file?.Dispose();
            _file = file;
            Number = number;
            _salt = salt;
            _end = _rewritten = ManifestLog.HeaderSize + record.Length;
            _allocated = Math.Max(Ahead, _end);
            BytesWritten += _end;
        }
        catch
        {
            if (file != _file) file?.Dispose();
            if (!_isUnknown) DurableFile.TryDelete(_storage, path);
            throw;
        }

        // CURRENT names the new file. The old one may stay, as where a reader has it open.
        if (old != 0) DurableFile.TryDelete(_storage, PathOf(old));
    }

    private string PathOf(ulong number) => System.IO.Path.Combine(_directory, FileNames.Manifest(number));
}
