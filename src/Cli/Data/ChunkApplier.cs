namespace Varve.Cli.Data;

/// <summary>Applies encoded chunks to an engine and counts the outcomes of their entries. One thread.</summary>
internal sealed class ChunkApplier(LsmStateMachine engine)
{
    private ApplyResult[] _results = new ApplyResult[256];

    public long Chunks { get; private set; }

    public long Entries { get; private set; }

    public long Succeeded { get; private set; }

    /// <summary>Applies one chunk.</summary>
    /// <returns>The outcomes of its entries; valid until the next call.</returns>
    public ReadOnlySpan<ApplyResult> Apply(ReadOnlySpan<byte> chunk)
    {
        var capacity = ChunkEntries.Count(chunk);
        if (_results.Length < capacity) _results = new ApplyResult[capacity];
        var count = engine.ApplyChunk(chunk, _results);
        var results = _results.AsSpan(0, count);
        Chunks++;
        Entries += count;
        foreach (var result in results)
        {
            if (result.Succeeded) Succeeded++;
        }

        return results;
    }
}
