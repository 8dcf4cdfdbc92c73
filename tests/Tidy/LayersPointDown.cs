using System.Text.RegularExpressions;
using Xunit;

namespace Varve.Tests.Tidy;

/// <summary>Dependencies inside the engine, and out of it, go one way.</summary>
public partial class LayersPointDown
{
    private const string Engine = "src/Engine/";

    [Fact]
    public void NoFolderUsesOneAboveIt()
    {
        var wrong =
            from file in SourceTree.CSharp(Engine)
            let user = FolderOf(file)
            from match in Uses().Matches(file.Code)
            let used = match.Groups["folder"].Value
            where Rank(used) >= 0 && used != user && Rank(used) < Rank(user)
            select $"{file.Place(match.Index)}: {user} uses {used}";
        Complaints.None(wrong);
    }

    [Fact]
    public void EveryFolderHasItsPlaceInTheOrder() =>
        Complaints.None(SourceTree.CSharp(Engine).Select(FolderOf).Distinct().Where(folder => Rank(folder) < 0));

    [Fact]
    public void NamespacesFollowFolders()
    {
        var wrong =
            from file in SourceTree.CSharp(Engine)
            let match = Namespace().Match(file.Code)
            let wanted = FolderOf(file) is { Length: > 0 } folder ? "Varve." + folder : "Varve"
            where match.Success && match.Groups["name"].Value != wanted
            select $"{file.Path}: {match.Groups["name"].Value}, not {wanted}";
        Complaints.None(wrong);
    }

    [Fact]
    public void FormatKnowsNothingOfTheEngineOrOfFiles() =>
        Complaints.None(SourceTree.CSharp("src/Format/").Places(BeyondBytes()));

    private static string FolderOf(SourceFile file) =>
        file.Path[Engine.Length..] is var below && below.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash ? below[..slash] : "";

    private static int Rank(string folder) => Array.IndexOf(HouseRules.EngineFolders, folder);

    [GeneratedRegex(@"\bVarve\.(?<folder>[A-Z]\w+)")]
    private static partial Regex Uses();

    [GeneratedRegex(@"^namespace (?<name>[\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\b(File|Directory|FileStream|RandomAccess|ILogger|TimeProvider|Stopwatch)\s*\.|\bVarve\.(Storage|Memory|Wal|Memtables|Tables|Versions|Compaction|Snapshots)\b")]
    private static partial Regex BeyondBytes();
}
