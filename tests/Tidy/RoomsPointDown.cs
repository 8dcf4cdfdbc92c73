using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Tidy;

/// <summary>
/// A file of src uses its own room and those below it, by whatever name: the compiler says what each name stands for.
/// </summary>
public partial class RoomsPointDown(ITestOutputHelper output)
{
    [Fact]
    public void NoFileUsesRoomAboveIt()
    {
        var upward = Upward(ProductCode.OfTheTree).ToLookup(use => use.Pair);
        foreach (var pair in upward.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            output.WriteLine($"upward: {pair.Key} ({string.Join(", ", pair.Select(use => use.Name).Distinct())})");
        foreach (var cycle in Cycles()) output.WriteLine($"cycle: {string.Join(", ", cycle)}");
        Complaints.None(upward.Select(pair => $"{pair.First()}, which is above it"));
    }

    [Fact]
    public void RelativeNameIsResolved()
    {
        const string path = "src/Engine/Tables/Smuggled.cs";
        var code = ProductCode.OfTheTree.With(new SourceFile(path, """
            namespace Varve.Tables;

            internal static class Smuggled
            {
                public static object? Of(object any) => any as Versions.DbVersion;
            }
            """));
        var use = Assert.Single(Upward(code));
        Assert.Equal(
            (path, 5, "DbVersion", "src/Engine/Versions/DbVersion.cs"), (use.User, use.Line, use.Name, use.Used));
    }

    [Fact]
    public void MemberOfUpperRoomIsFoundWithoutTypeName()
    {
        var code = ProductCode.OfTheTree.With(new SourceFile("src/Format/Smuggled.cs", """
            namespace Varve.Format;

            internal static class Smuggled
            {
                private static EngineOptions Options { get; } = new();

                public static int Of() => Options.UpperRunsMax;
            }
            """));
        Assert.Equal(
            [(5, ".ctor"), (5, "EngineOptions"), (7, "UpperRunsMax")],
            Upward(code).Select(use => (use.Line, use.Name)).Order());
    }

    [Fact]
    public void EveryNameOfSrcResolves() => Complaints.None(ProductCode.OfTheTree.Unresolved);

    [Fact]
    public void EveryFileHasRoomAndEveryRoomHasFiles()
    {
        var rooms = SourceTree.CSharp("src/").ToLookup(file => Rooms.OfTheTree.Of(file.Path));
        Complaints.None(
            [
                .. rooms[null].Select(file => $"{file.Path}: in no room of the Layers table"),
                .. Rooms.OfTheTree.Folders.Where(room => !rooms.Contains(room))
                    .Select(room => $"{room}: a room without files"),
            ]);
        Assert.Distinct(Rooms.OfTheTree.Folders);
    }

    [Fact]
    public void LayersTableIsReadTopDown()
    {
        var rooms = new Rooms(
            "## Other\n| `src/No` | x |\n## Layers\n\n| `src/A/B` | b |\n| `src/A` | a |\n| `src/A/C` | c |\n");
        Assert.Equal(["src/A/B", "src/A", "src/A/C"], rooms.Folders);
        Assert.Equal("src/A/C", rooms.Of("src/A/C/Below/X.cs"));
        Assert.Equal("src/A", rooms.Of("src/A/D/X.cs"));
        Assert.Null(rooms.Of("src/AB/X.cs"));
        Assert.True(rooms.IsUpward("src/A", "src/A/B"));
        Assert.False(rooms.IsUpward("src/A", "src/A"));
        Assert.False(rooms.IsUpward("src/A", "src/A/C"));
    }

    /// <summary>Seeded bugs know files by their names.</summary>
    [Fact]
    public void FilesOfSrcHaveUniqueNames() =>
        Complaints.None(
            SourceTree.CSharp("src/").GroupBy(file => Path.GetFileName(file.Path)).Where(group => group.Count() > 1)
                .Select(group => string.Join(", ", group.Select(file => file.Path))));

    [Fact]
    public void NamespacesFollowRoomsAndPublicTypesAreInVarve()
    {
        var wrong =
            from type in ProductCode.OfTheTree.Types()
            where type.Path.StartsWith("src/Engine/", StringComparison.Ordinal)
            let name = type.Type.ContainingNamespace.ToDisplayString()
            let wanted = "Varve" + Rooms.OfTheTree.Of(type.Path)!["src/Engine".Length..].Replace('/', '.')
            where name != wanted && !(name == "Varve" && type.Type.DeclaredAccessibility == Accessibility.Public)
            select $"{type.Path}: {type.Type} is in {name}, not {wanted}";
        Complaints.None(wrong);
    }

    [Fact]
    public void FormatUsesNoFiles() => Complaints.None(SourceTree.CSharp("src/Format/").Places(BeyondBytes()));

    private static IEnumerable<Use> Upward(ProductCode code) =>
        code.Uses.Where(use => Rooms.OfTheTree.IsUpward(RoomOf(use.User), RoomOf(use.Used)));

    /// <summary>Rooms that use each other, directly or by way of others.</summary>
    private static IEnumerable<List<string>> Cycles()
    {
        var uses = ProductCode.OfTheTree.Uses.ToLookup(use => RoomOf(use.User), use => RoomOf(use.Used));
        var reached = Rooms.OfTheTree.Folders.ToDictionary(room => room, Reach);
        return
            from room in Rooms.OfTheTree.Folders
            let cycle = Rooms.OfTheTree.Folders
                .Where(other => reached[room].Contains(other) && reached[other].Contains(room)).ToList()
            where cycle.Count > 1 && cycle[0] == room
            select cycle;

        HashSet<string> Reach(string from)
        {
            var (seen, next) = (new HashSet<string>(), new Stack<string>([from]));
            while (next.TryPop(out var at))
                foreach (var used in uses[at].Distinct().Where(seen.Add)) next.Push(used);
            return seen;
        }
    }

    private static string RoomOf(string path) =>
        Rooms.OfTheTree.Of(path) ?? throw new InvalidOperationException($"{path}: in no room of the Layers table.");

    [GeneratedRegex(@"\b(File|Directory|FileStream|RandomAccess|ILogger|TimeProvider|Stopwatch)\s*\.")]
    private static partial Regex BeyondBytes();
}
