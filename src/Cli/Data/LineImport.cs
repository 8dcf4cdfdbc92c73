using Varve.Cli.Json;
using Varve.Cli.Text;

namespace Varve.Cli.Data;

/// <summary>
/// Applies the lines of an export as inserts: entry n of the input gets index first + n - 1. So an interrupted import
/// continues where the applied index says; the last entry that it skips is compared with the database.
/// </summary>
/// <param name="engine">The database.</param>
/// <param name="lines">The input.</param>
/// <param name="firstIndex">Index of the first entry.</param>
internal sealed class LineImport(LsmStateMachine engine, JsonLines lines, ulong firstIndex)
{
    private const int ChunkEntriesMax = 4096;
    private const int ChunkBytesMax = 1 << 20;

    private readonly ApplyEntry[] _chunk = new ApplyEntry[ChunkEntriesMax];
    private readonly ulong _nowMs = NextEntry.NowMs();
    private readonly ApplyResult[] _results = new ApplyResult[ChunkEntriesMax];
    private int _count;
    private long _chunkBytes;

    public long Applied { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Entries that an earlier import has applied.</summary>
    public long Skipped { get; private set; }

    /// <summary>Entries whose lease had expired; they became no-ops, which keep the count of indexes.</summary>
    public long Expired { get; private set; }

    public void Run(LongWork progress, CancellationToken cancellationToken)
    {
        var (last, term) = (engine.LastApplied.Index, Math.Max(engine.LastApplied.Term, 1));
        while (lines.Read() is { } line)
        {
            var index = firstIndex + (ulong)lines.Entries - 1;
            if (index <= last)
            {
                Skipped++;
                if (index == last) RequireSame(line);
                continue;
            }

            Add(line, index, term);
            if (_count < ChunkEntriesMax && _chunkBytes < ChunkBytesMax) continue;
            Apply();
            cancellationToken.ThrowIfCancellationRequested();
            progress.Report(Bytes, lines.Progress, Applied);
        }

        Apply();
        if (firstIndex + (ulong)lines.Entries <= last)
            throw new UsageException(
                $"{lines.Name}: ends at index {firstIndex + (ulong)lines.Entries - 1}, and the database holds index "
                    + $"{last}: it is not the input of an interrupted import");
    }

    private void Add(EntryLine line, ulong index, ulong term)
    {
        var (key, value) = (line.KeyBytes!, line.ValueBytes!);
        var ttl = line.ExpiresMs is { } at && at > _nowMs ? (at - _nowMs + 999) / 1000 : 0;
        var command = Command.Insert(key, value, ttl);
        if (line.ExpiresMs <= _nowMs)
        {
            command = Command.Noop;
            Expired++;
        }

        if (!command.TryValidate(out var problem)) throw lines.Malformed(problem);
        _chunk[_count++] = new ApplyEntry(index, term, command, _nowMs);
        _chunkBytes += key.Length + value.Length;
    }

    private void Apply()
    {
        if (_count == 0) return;
        engine.ApplyChunk(_chunk.AsSpan(0, _count), _results);
        (Applied, Bytes) = (Applied + _count, Bytes + _chunkBytes);
        (_count, _chunkBytes) = (0, 0);
    }

    // A lease may have expired since.
    private void RequireSame(EntryLine line)
    {
        if (line.ExpiresMs is not null) return;
        if (engine.Get(line.KeyBytes!) is { } stored && stored.AsSpan().SequenceEqual(line.ValueBytes)) return;
        throw lines.Malformed(
            "the database does not hold this entry, whose index is the last applied one: "
                + "it is not the input of an interrupted import");
    }
}
