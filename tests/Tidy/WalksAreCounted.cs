using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Tidy;

/// <summary>
/// docs/WALKS.md shows ways through the code. Its tables are true of the tree, and no way changes rooms too often.
/// </summary>
public partial class WalksAreCounted(ITestOutputHelper output)
{
    /// <summary>The limits of the walks' room changes.</summary>
    private static readonly Dictionary<string, int> Limits = new()
    {
        ["Apply"] = 16,
        ["Get"] = 14,
        ["Scan"] = 12,
        ["Flush"] = 18,
        ["Compaction"] = 12,
        ["Snapshot"] = 12,
        ["Install"] = 12,
        ["Open"] = 22,
    };

    private static readonly Dictionary<string, SourceFile> Sources =
        SourceTree.CSharp("src/").ToDictionary(file => Path.GetFileNameWithoutExtension(file.Path));

    [Fact]
    public void PageHasEveryWalkAndItsLimit()
    {
        var walks = Read(SourceTree.Read("docs/WALKS.md"));
        Assert.Equal(Limits, walks.ToDictionary(walk => walk.Name, walk => walk.Limit));
    }

    [Fact]
    public void WalksChangeRoomsAsDocumentedAndWithinLimits() =>
        Complaints.None(Read(SourceTree.Read("docs/WALKS.md")).SelectMany(walk =>
        {
            var changes = walk.Stays.Count - 1;
            output.WriteLine($"{walk.Name}: {changes} changes, {walk.Stays.Sum(stay => stay.Files.Length)} files");
            return Count(walk, changes);
        }));

    [Fact]
    public void FilesOfWalkAreInItsRoomsAndUseEachOther() =>
        Complaints.None(Read(SourceTree.Read("docs/WALKS.md")).SelectMany(walk => Follow(walk)));

    [Fact]
    public void RuleSeesItsBreaches()
    {
        var walk = Assert.Single(Read("""
            ## Get: 7 changes (at most 1)

            | Engine | `LsmStateMachine` | a |
            | Commit | `PointReads`, `Nothing` | b |
            | Commit | `OrphanSweeper` | c |

            ## End
            """));
        Assert.Equal(
            ["Get: 2 changes, the page says 7", "Get: 2 changes, at most 1", "Get: Commit follows Commit"],
            Count(walk, walk.Stays.Count - 1));
        Assert.Equal(
            [
                "Get: PointReads is in src/Engine/Reading, not Commit", "Get: Nothing: no such file",
                "Get: OrphanSweeper is in src/Engine/Recovery, not Commit",
                "Get: OrphanSweeper: no file before it in the walk uses it",
            ],
            Follow(walk));
    }

    private static IEnumerable<string> Count(Walk walk, int changes)
    {
        if (changes != walk.Changes) yield return $"{walk.Name}: {changes} changes, the page says {walk.Changes}";
        if (changes > walk.Limit) yield return $"{walk.Name}: {changes} changes, at most {walk.Limit}";
        foreach (var (one, next) in walk.Stays.Zip(walk.Stays.Skip(1)))
            if (one.Room == next.Room) yield return $"{walk.Name}: {next.Room} follows {one.Room}";
    }

    private static IEnumerable<string> Follow(Walk walk)
    {
        var uses = ProductCode.OfTheTree.Uses.Select(use => (use.User, use.Used)).ToHashSet();
        var seen = new HashSet<string>();
        foreach (var (room, files) in walk.Stays)
        {
            foreach (var name in files)
            {
                if (!Sources.TryGetValue(name, out var file))
                {
                    yield return $"{walk.Name}: {name}: no such file";
                    continue;
                }

                var found = Rooms.OfTheTree.Of(file.Path)!;
                if (found != Folder(room)) yield return $"{walk.Name}: {name} is in {found}, not {room}";
                if (seen.Count > 0 && !seen.Contains(file.Path) && !seen.Any(user => uses.Contains((user, file.Path))))
                    yield return $"{walk.Name}: {name}: no file before it in the walk uses it";
                seen.Add(file.Path);
            }
        }
    }

    private static string Folder(string room) =>
        room switch { "Engine" or "Format" => $"src/{room}", _ => $"src/Engine/{room}" };

    private static List<Walk> Read(string page) =>
        [.. Heading().Matches(page).Select(heading => new Walk(
            heading.Groups["name"].Value, Number(heading, "changes"), Number(heading, "limit"),
            [.. Row().Matches(heading.Groups["text"].Value).Select(row => (
                row.Groups["room"].Value,
                row.Groups["files"].Value.Split(", ").Select(file => file.Trim('`')).ToArray()))]))];

    private static int Number(Match match, string group) =>
        int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(
        @"^## (?<name>\w+): (?<changes>\d+) changes \(at most (?<limit>\d+)\)$(?<text>.*?)(?=^## |\z)",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^\| (?<room>[A-Z]\w+) \| (?<files>`\w+`(, `\w+`)*) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    private sealed record Walk(string Name, int Changes, int Limit, List<(string Room, string[] Files)> Stays);
}
