using System.Text.RegularExpressions;
using Xunit;

namespace Varve.Tests.Tidy;

/// <summary>
/// docs/ARCHITECTURE.md alone lists the invariants. Comments of the engine cite each where the code keeps it.
/// </summary>
public partial class InvariantsAreCited
{
    private const string Document = "docs/ARCHITECTURE.md";

    [Fact]
    public void EngineCitesEveryInvariantAndNoOther()
    {
        var listed = Row().Matches(SourceTree.Read(Document)).Select(match => match.Groups["id"].Value).ToList();
        Assert.NotEmpty(listed);
        Assert.Equal(listed.Distinct(), listed);
        var cited = SourceTree.CSharp("src/").SelectMany(
            file => Citation().Matches(file.Text).Select(match => (Id: match.Value, Place: file.Place(match.Index))));
        var byId = cited.ToLookup(citation => citation.Id, citation => citation.Place);
        Complaints.None(
            [
                .. listed.Where(id => !byId[id].Any(place => place.StartsWith("src/Engine/", StringComparison.Ordinal)))
                    .Select(id => $"{id}: no comment of src/Engine cites it where the code keeps it"),
                .. byId.Where(id => !listed.Contains(id.Key)).Select(
                    id => $"{id.First()}: {id.Key} is not in the list of {Document}"),
            ]);
    }

    [Fact]
    public void NoOtherDocumentListsInvariants() =>
        Complaints.None(
            SourceTree.Files.Where(file => file.Path.EndsWith(".md", StringComparison.Ordinal)
                && file.Path != Document).Places(Row(), wholeText: true));

    [GeneratedRegex(@"^\| (?<id>I[1-9]) \| \*\*", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"(?<=^\s*//.*)\bI[1-9]\b", RegexOptions.Multiline)]
    private static partial Regex Citation();
}
