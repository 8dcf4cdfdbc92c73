using Varve.Format;
using Varve.Memory;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// Writes a sorted sequence of rows into one or more tables. A table gets its final name in <see cref="Finish"/>, after
/// its sync (I4). Disposal before that deletes all of them.
/// </summary>
/// <param name="storage">The file system.</param>
/// <param name="directory">The directory of the tables.</param>
/// <param name="origin">The database that writes the tables.</param>
/// <param name="numbers">The source of file numbers.</param>
/// <param name="hashSeed">The seed of their key hashes.</param>
/// <param name="options">Options with block size and filter bits.</param>
/// <param name="tableBytes">The length at which a table is finished.</param>
/// <param name="recycled">Files of the same directory to write over; null if all are new.</param>
/// <param name="bytesExpected">About the number of bytes that will be written.</param>
internal sealed class TableSetWriter(
    IStorage storage,
    string directory,
    Guid origin,
    FileNumbers numbers,
    ulong hashSeed,
    EngineOptions options,
    long tableBytes,
    RecycledFiles? recycled = null,
    long bytesExpected = 0) : IDisposable
{
    private readonly List<(string Temporary, TableDescriptor Descriptor)> _done = [];
    private IStorageFile? _file;
    private TableWriter? _writer;
    private ulong _number;
    private int _blocks;
    private bool _finished;

    /// <summary>Bytes of the finished tables.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>Adds a row; key and value are copied.</summary>
    public void Add(ReadOnlySpan<byte> key, RecordKind kind, ulong deadline, ReadOnlySpan<byte> value)
    {
        if (_writer is null) Begin();
        _writer!.Add(key, kind, kind == RecordKind.LeasedPut ? deadline : 0, value);
        EndIfFull();
    }

    /// <summary>Adds a row; the value must stay in place until <see cref="Finish"/> or the disposal.</summary>
    public void Add(in RowRef row)
    {
        if (_writer is null) Begin();
        _writer!.Add(row);
        EndIfFull();
    }

    /// <summary>
    /// Gives the synced tables their names and syncs the directory. Returns no table if there was no row.
    /// </summary>
    public List<(string Path, TableDescriptor Descriptor)> Finish(Func<TableDescriptor, string> nameOf)
    {
        if (_writer is not null) End();
        var named = new List<(string, TableDescriptor)>();
        try
        {
            foreach (var (temporary, descriptor) in _done)
            {
                var path = Path.Combine(directory, nameOf(descriptor));
                storage.Rename(temporary, path);
                named.Add((path, descriptor));
            }

            if (named.Count > 0) storage.SyncDirectory(directory);
        }
        catch
        {
            // Nothing names these yet. Dispose deletes the others under their temporary names.
            foreach (var (path, _) in named) DurableFile.TryDelete(storage, path);
            throw;
        }

        _finished = true;
        return named;
    }

    public void Dispose()
    {
        _writer?.Dispose();
        _file?.Dispose();
        if (_finished) return;
        if (_number != 0) DurableFile.TryDelete(storage, TemporaryOf(_number));
        foreach (var (temporary, _) in _done) DurableFile.TryDelete(storage, temporary);
    }

    private void EndIfFull()
    {
        if (_writer!.BlockCount == _blocks) return;
        _blocks = _writer.BlockCount;
        if (_writer.EstimatedLength >= tableBytes) End();
    }

    private void Begin()
    {
        _blocks = 0;
        _number = numbers.Next();
        _file = recycled?.Open(TemporaryOf(_number), Math.Min(bytesExpected - BytesWritten, tableBytes))
            ?? storage.Open(TemporaryOf(_number), FileIntent.CreateNew);
        _writer = new TableWriter(_file, origin, _number, hashSeed, options.BlockBytes, options.FilterBitsPerKey);
    }

    private void End()
    {
        var descriptor = _writer!.Finish();
        if (_file!.Length > descriptor.Length) _file.Truncate(descriptor.Length);
        _file!.Sync();
        _writer.Dispose();
        _file.Dispose();
        _writer = null;
        _file = null;
        _done.Add((TemporaryOf(_number), descriptor));
        _number = 0;
        BytesWritten += descriptor.Length;
    }

    private string TemporaryOf(ulong number) =>
        Path.Combine(directory, FileNames.Table(number) + FileNames.TemporarySuffix);
}
