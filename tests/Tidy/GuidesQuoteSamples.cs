using System.Text.RegularExpressions;
using Xunit;

namespace Varve.Tests.Tidy;

/// <summary>The C# in the guides is that of samples, which are compiled, run and checked by samples/run.</summary>
public partial class GuidesQuoteSamples
{
    private static readonly IReadOnlyList<SourceFile> Guides = [.. SourceTree.Files.Where(file =>
        file.Path.StartsWith("docs/guides/", StringComparison.Ordinal))];

    [Fact]
    public void EveryBlockIsInItsSample() =>
        Complaints.None(
            from guide in Guides
            from block in Block().Matches(guide.Text)
            let sample = block.Groups["sample"].Value
            where sample.Length == 0 || !SourceTree.Exists(sample) || !Holds(sample, block.Groups["code"].Value)
            select $"{guide.Place(block.Index)}: "
                + (sample.Length == 0 ? "names no sample" : $"is not in {sample}"));

    [Fact]
    public void GettingStartedIsWholeProgram()
    {
        var guide = SourceTree.Read("docs/guides/getting-started.md");
        Assert.Contains(SourceTree.Read("samples/GettingStarted/Program.cs"), guide, StringComparison.Ordinal);
    }

    [Fact]
    public void EverySampleIsRunAndListed()
    {
        var (script, list) = (SourceTree.Read("samples/run"), SourceTree.Read("samples/README.md"));
        Complaints.None(
            from project in SourceTree.Files
            where project.Path.StartsWith("samples/", StringComparison.Ordinal)
                && project.Path.EndsWith(".csproj", StringComparison.Ordinal)
            let name = Path.GetFileNameWithoutExtension(project.Path)
            where !script.Contains($"sample {name}", StringComparison.Ordinal)
                || !list.Contains($"[{name}](", StringComparison.Ordinal)
            select $"{project.Path} is not run by samples/run, or not listed in samples/README.md");
    }

    [Fact]
    public void CiRunsSamplesAndComparesOptions()
    {
        var script = SourceTree.Read(".ci/run");
        Assert.Contains("samples/run", script, StringComparison.Ordinal);
        Assert.Contains("eng/OptionsPage", script, StringComparison.Ordinal);
    }

    /// <summary>True if the lines follow one another in the file, whatever their indentation.</summary>
    private static bool Holds(string path, string code)
    {
        var (lines, wanted) = (Lines(SourceTree.Read(path)), Lines(code));
        return Enumerable.Range(0, Math.Max(0, lines.Length - wanted.Length + 1))
            .Any(start => lines.AsSpan(start, wanted.Length).SequenceEqual(wanted));
    }

    private static string[] Lines(string text) =>
        text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    [GeneratedRegex(@"(<!-- (?<sample>\S+) -->\n)?```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
