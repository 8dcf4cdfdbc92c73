using System.Buffers;
using Varve.Cli.Json;
using Varve.Cli.Text;
using Varve.Format;

namespace Varve.Cli.Data;

/// <summary>
/// Writes the live entries of one revision, in key order: as JSON lines, or as framed chunks of inserts from index 1
/// on, which <c>apply</c> and <c>import</c> take. Both carry leases: a line the deadline, an insert the seconds that
/// are left of it, rounded up.
/// </summary>
internal sealed class EntryExport(LsmStateMachine engine, Stream output, LongWork progress, long? expected)
{
    private const int ReportEvery = 1024;
    private const int ChunkBytes = 1 << 20;

    private readonly ArrayBufferWriter<byte> _chunk = new();
    private readonly ArrayBufferWriter<byte> _frame = new();
    private readonly ulong _nowMs = NextEntry.NowMs();

    public long Keys { get; private set; }

    public long Bytes { get; private set; }

    public ulong Revision { get; private set; }

    /// <summary>Exports the entries with from &lt;= key whose keys start with the prefix.</summary>
    /// <param name="prefix">The prefix; empty: all keys.</param>
    /// <param name="from">The least key; empty: no lower bound.</param>
    /// <param name="asChunks">Writes the wire format instead of JSON lines.</param>
    /// <param name="cancellationToken">Ends the export between two entries.</param>
    public void Run(byte[] prefix, byte[] from, bool asChunks, CancellationToken cancellationToken)
    {
        using var view = engine.OpenView();
        Revision = view.Revision;
        using var scan = view.ScanPrefix(prefix);
        scan.Seek(from);
        while (scan.MoveNext())
        {
            var entry = scan.Current;
            if (asChunks) AddToChunk(entry);
            else JsonOutput.WriteLine(output, EntryLine.Of(entry.Key, entry.Value, expiresMs: entry.LeaseDeadlineMs));
            Keys++;
            Bytes += entry.Key.Length + entry.Value.Length;
            if (Keys % ReportEvery != 0) continue;
            cancellationToken.ThrowIfCancellationRequested();
            progress.Report(Bytes, LongWork.ShareOf(Keys, expected), Keys);
        }

        WriteChunk();
    }

    private void AddToChunk(EntryView entry)
    {
        var ttl = entry.LeaseDeadlineMs is { } deadline
            ? Math.Max(1, (Math.Max(deadline, _nowMs) - _nowMs + 999) / 1000)
            : 0;
        WireWriter.WriteInsert(_chunk, (ulong)Keys + 1, 1, entry.Key, entry.Value, ttl, _nowMs);
        if (_chunk.WrittenCount >= ChunkBytes) WriteChunk();
    }

    private void WriteChunk()
    {
        if (_chunk.WrittenCount == 0) return;
        ChunkFrames.WriteFrame(_frame, _chunk.WrittenSpan);
        output.Write(_frame.WrittenSpan);
        _chunk.ResetWrittenCount();
        _frame.ResetWrittenCount();
    }
}
