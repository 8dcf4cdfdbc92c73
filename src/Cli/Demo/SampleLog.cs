using Varve.Cli.Data;

namespace Varve.Cli.Demo;

/// <summary>One chunk of the sample.</summary>
/// <param name="Bytes">As encoded by Google's protobuf.</param>
/// <param name="LastIndex">Log index of its last entry.</param>
internal readonly record struct SampleChunk(ReadOnlyMemory<byte> Bytes, ulong LastIndex);

/// <summary>The bundled log (Sample/README.md), whole in memory.</summary>
internal static class SampleLog
{
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

    public static Stream OpenResource(string name) =>
        typeof(SampleLog).Assembly.GetManifestResourceStream(name)
        ?? throw new InvalidOperationException($"the tool was built without {name}");
}
