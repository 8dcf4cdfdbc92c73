using Varve.Cli.Data;

namespace Varve.Cli.Sample;

/// <summary>The sample log in the tool's resources (Sample/README.md).</summary>
internal static class SampleLog
{
    /// <summary>Loads all chunks into memory.</summary>
    public static List<SampleChunk> Load()
    {
        using var log = new ChunkLog(OpenResource("sample.log.bin.zst"), "the bundled log", compressed: true);
        var chunks = new List<SampleChunk>();
        var lastIndex = 0UL;
        while (log.TryReadChunk(out var chunk))
        {
            // The sample's indexes run from 1 without a gap.
            lastIndex += (ulong)ChunkEntries.Count(chunk.Span);
            chunks.Add(new SampleChunk(chunk.ToArray(), lastIndex));
        }

        return chunks;
    }

    /// <summary>Loads the answers that the log must give.</summary>
    public static KnownAnswers LoadAnswers()
    {
        using var stream = OpenResource("sample.expected.json");
        return KnownAnswers.Parse(stream);
    }

    private static Stream OpenResource(string name) =>
        typeof(SampleLog).Assembly.GetManifestResourceStream(name)
        ?? throw new InvalidOperationException($"resource {name} is missing from the tool's assembly");
}
