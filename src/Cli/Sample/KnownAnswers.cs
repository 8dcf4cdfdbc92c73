using System.Text.Json;

namespace Varve.Cli.Sample;

/// <summary>The answers that an independent model computed from the sample log (Sample/README.md).</summary>
internal sealed record KnownAnswers(
    int Chunks, int Entries, int Succeeded, LogId LastApplied, string ResultBitsSha256, IReadOnlyList<Mark> Marks)
{
    /// <summary>The prefix that a mark's second digest covers.</summary>
    public static ReadOnlySpan<byte> LibraryPrefix => "pkg/lib"u8;

    /// <summary>The mark at the end of the log.</summary>
    public Mark Last => Marks[^1];

    /// <summary>Reads the answers, as <c>Sample/expected.json</c> has them.</summary>
    public static KnownAnswers Parse(Stream json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var marks = root.GetProperty("marks").EnumerateArray().Select(mark =>
            new Mark(LogIdOf(mark), DigestOf(mark), DigestOf(mark.GetProperty("prefix_pkg_lib"))));
        return new KnownAnswers(
            root.GetProperty("chunks").GetInt32(),
            root.GetProperty("entries").GetInt32(),
            root.GetProperty("succeeded").GetInt32(),
            LogIdOf(root.GetProperty("last_applied")),
            root.GetProperty("results_bits_sha256").GetString()!,
            [.. marks.DistinctBy(mark => mark.At)]);
    }

    private static LogId LogIdOf(JsonElement element) =>
        new(element.GetProperty("index").GetUInt64(), element.GetProperty("term").GetUInt64());

    private static StateDigest DigestOf(JsonElement element) =>
        new(element.GetProperty("count").GetInt64(), element.GetProperty("sha256").GetString()!);
}
