using System.Text.Json;
using Varve.Cli.Data;

namespace Varve.Cli.Demo;

/// <summary>The state that the log must give at one index.</summary>
internal sealed record Mark(LogId At, StateDigest All, StateDigest Libraries);

/// <summary>What an independent model computed from the bundled log.</summary>
internal sealed record KnownAnswers(
    long Entries, long Succeeded, LogId LastApplied, string ResultBitsSha256, IReadOnlyList<Mark> Marks)
{
    /// <summary>The prefix that the marks' second digest covers.</summary>
    public static ReadOnlySpan<byte> LibraryPrefix => "pkg/lib"u8;

    /// <summary>The mark at the end of the log.</summary>
    public Mark Last => Marks[^1];

    public static KnownAnswers Load()
    {
        using var stream = SampleLog.OpenResource("sample.expected.json");
        using var document = JsonDocument.Parse(stream);
        var root = document.RootElement;
        var marks = root.GetProperty("marks").EnumerateArray().Select(mark =>
            new Mark(LogIdOf(mark), DigestOf(mark), DigestOf(mark.GetProperty("prefix_pkg_lib"))));
        return new KnownAnswers(
            root.GetProperty("entries").GetInt64(),
            root.GetProperty("succeeded").GetInt64(),
            LogIdOf(root.GetProperty("last_applied")),
            root.GetProperty("results_bits_sha256").GetString()!,
            [.. marks.DistinctBy(mark => mark.At)]);
    }

    private static LogId LogIdOf(JsonElement element) =>
        new(element.GetProperty("index").GetUInt64(), element.GetProperty("term").GetUInt64());

    private static StateDigest DigestOf(JsonElement element) =>
        new(element.GetProperty("count").GetInt64(), element.GetProperty("sha256").GetString()!);
}
