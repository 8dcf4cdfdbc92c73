using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Varve.Tests.Tidy;

/// <summary>docs/MEMORY-ORDER.md names every access of src that orders memory, by file and number.</summary>
public partial class MemoryOrderIsWritten
{
    private const string Page = "docs/MEMORY-ORDER.md";

    [Fact]
    public void PageHasEveryUse() => Complaints.None(Differences(SourceTree.CSharp("src/"), SourceTree.Read(Page)));

    [Fact]
    public void OtherUseIsFound()
    {
        var file = new SourceFile("src/Engine/Smuggled.cs", """
            internal static class Smuggled
            {
                private static volatile bool _flag; // Volatile.Read in a comment is none
            }
            """);
        Assert.Equal([$"src/Engine/Smuggled.cs: 1 uses, {Page} says 0"], Differences([file], ""));
    }

    [Fact]
    public void UseThatIsGoneIsFound() =>
        Assert.Equal(
            [$"src/Engine/Gone.cs: 0 uses, {Page} says 3"], Differences([], "| `Gone.cs` | 3 | nobody | nothing |"));

    private static IEnumerable<string> Differences(IEnumerable<SourceFile> files, string page)
    {
        var stated = Row().Matches(page).ToDictionary(
            row => "src/Engine/" + row.Groups["file"].Value,
            row => int.Parse(row.Groups["uses"].Value, CultureInfo.InvariantCulture));
        var made = files.ToDictionary(file => file.Path, file => Use().Count(file.Code));
        return stated.Keys.Union(made.Where(file => file.Value > 0).Select(file => file.Key))
            .Order(StringComparer.Ordinal)
            .Select(file => (File: file, Made: made.GetValueOrDefault(file), Stated: stated.GetValueOrDefault(file)))
            .Where(file => file.Made != file.Stated)
            .Select(file => $"{file.File}: {file.Made} uses, {Page} says {file.Stated}");
    }

    [GeneratedRegex(@"\b(Volatile|Interlocked)\s*\.|\bThread\s*\.\s*(MemoryBarrier|Volatile\w+)\b|\bvolatile\b")]
    private static partial Regex Use();

    [GeneratedRegex(@"^\| `(?<file>[\w./]+\.cs)` \| (?<uses>\d+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
