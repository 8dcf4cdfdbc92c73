using Varve.Cli.Text;
using Varve.Format;

namespace Varve.Cli.Data;

/// <summary>Applies framed chunks, without those that end at or below the applied index.</summary>
internal sealed class ChunkImport(LsmStateMachine engine, ChunkLog chunks)
{
    private readonly ChunkApplier _applier = new(engine);

    public long Applied => _applier.Entries;

    /// <summary>Entries that an earlier import has applied.</summary>
    public long Skipped { get; private set; }

    public void Run(LongWork progress, CancellationToken cancellationToken)
    {
        while (chunks.TryReadChunk(out var chunk))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TrySkip(chunk.Span)) continue;
            try
            {
                _applier.Apply(chunk.Span);
            }
            catch (Exception failure) when (
                failure is ArgumentException or LogGapException or DuplicateEntryException)
            {
                throw chunks.Malformed(Failure.MessageOf(failure));
            }

            progress.Report(chunks.Position, chunks.Progress, Applied);
        }
    }

    private bool TrySkip(ReadOnlySpan<byte> chunk)
    {
        var reader = new ChunkReader(chunk);
        var (entries, last) = (0, 0UL);
        while (reader.TryRead(out var entry)) (entries, last) = (entries + 1, entry.Index);
        if (!reader.AtEnd) throw chunks.Malformed($"{reader.Error.Reason} at byte {reader.Error.Offset} of the chunk");
        if (last > engine.LastApplied.Index) return false;
        Skipped += entries;
        return true;
    }
}
