using Varve.Format;
using Varve.Memory;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// Writes a sorted sequence of rows into as many tables as it takes. Nothing has its final name until
/// <see cref="Finish"/> has synced it; disposing before that removes everything.
/// </summary>
/// <param name="storage">The file system.</param>
/// <param name="directory">Where the tables go.</param>
/// <param name="origin">The database that writes.</param>
/// <param name="numbers">Where their numbers come from.</param>
/// <param name="hashSeed">What the hashes of their keys are made with.</param>
/// <param name="options">Block size, filter.</param>
/// <param name="tableBytes">Where a table is closed.</param>
/// <param name="spares">Files to write over, in the same directory; null: all are new.</param>
/// <param name="bytesExpected">About how much there is to write.</param>
internal sealed class TableSetWriter(
    IStorage storage,
    string directory,
    Guid origin,
    FileNumbers numbers,
    ulong hashSeed,
    EngineOptions options,
    long tableBytes,
    RecycledFiles? spares = null,
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

    /// <summary>Adds a row whose value stays where it is until <see cref="Finish"/> or the disposal.</summary>
    public void Add(in RowRef row)
    {
        if (_writer is null) Begin();
        _writer!.Add(row);
        EndIfFull();
    }

    /// <summary>Syncs the tables and gives them their names; the directory too. None if there was no row.</summary>
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
            // Nobody knows of them yet; the others go with the temporaries.
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
        _file = spares?.Open(TemporaryOf(_number), Math.Min(bytesExpected - BytesWritten, tableBytes))
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
