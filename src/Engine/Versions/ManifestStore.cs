using System.Buffers.Binary;
using System.Security.Cryptography;
using Varve.Format;
using Varve.Storage;

namespace Varve.Versions;

/// <summary>
/// The manifest: a log of version edits, each synced before anything acts on it. CURRENT names the manifest file; a new
/// one is written whole when the old has grown or has a torn tail. Used by one thread at a time.
/// </summary>
internal sealed class ManifestStore : IDisposable
{
    /// <summary>What is allocated at a time, and at least before a manifest has its name.</summary>
    public const long Ahead = 64 << 10;

    /// <summary>
    /// A manifest is written anew when it is longer than this, and twice as long as when it was last.
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

    /// <summary>What the manifest says now.</summary>
    public ManifestContent Content { get; }

    public ulong Number { get; private set; }

    /// <summary>
    /// Whether a manifest that was loaded is still the one that CURRENT names, with nothing behind what was read. For a
    /// reader.
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

    /// <summary>Bytes of the edits and of the manifests written, this instance's.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>Makes the manifest of a new database and points CURRENT at it.</summary>
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
    /// Reads the manifest that CURRENT names. Writes nothing; <see cref="BeginWriting"/> comes before the first append.
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
    /// Readies a loaded manifest for appends, by writing it anew: what was read may be in the page cache alone, and
    /// what is about to be swept on its word must not be needed after a power loss.
    /// </summary>
    public void BeginWriting() => Rewrite();

    /// <summary>
    /// Makes an edit durable. On return it is; a <see cref="StorageFullException"/> leaves the manifest as it was; any
    /// other failure is final.
    /// </summary>
    public void Append(VersionEdit edit)
    {
        var isWriting = false;
        Append(edit, ref isWriting);
    }

    /// <summary>
    /// As the other. <paramref name="isWriting"/> is set once the edit may be in the file; up to there all memory is
    /// taken, and nothing has changed.
    /// </summary>
    public void Append(VersionEdit edit, ref bool isWriting)
    {
        if (_isUnknown)
            throw new IOException(
                $"{PathOf(Number)}: an earlier write failed, and whether it is durable is not known.");
        // Before, not after: an edit that is durable must not be reported as one that failed.
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
        // The checksum last: a write that fails may have got somewhere, and an edit that ends in zeros is whole before
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
            throw new IOException("The manifest's sync failed; whether the edit is durable is not known.", e);
        }

        _end += record.Length;
        BytesWritten += record.Length;
        if (Content.Apply(edit) is { } fault)
            throw new InvalidOperationException("A version edit does not fit its version: " + fault);
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

        // The new one is named: that the old one stays, where a reader has it open say, undoes nothing.
        if (old != 0) DurableFile.TryDelete(_storage, PathOf(old));
    }

    private string PathOf(ulong number) => System.IO.Path.Combine(_directory, FileNames.Manifest(number));
}
