using System.Text.RegularExpressions;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Seeded;

/// <summary>Everything is built and run once; the tests ask what came of it.</summary>
public sealed class WholeHunt
{
    private readonly Lazy<IReadOnlyDictionary<string, Finding>> _findings = new(() =>
    {
        using var bed = new TestBed(BugList.All, BugList.Projects);
        return Hunt.All(bed, BugList.All, _ => { }).ToDictionary(finding => finding.Bug.Name);
    });

    internal Finding Of(string bug) => _findings.Value[bug];
}

/// <summary>Every bug of the list is caught by the test that it names, and only because of the bug.</summary>
public sealed class EveryBugIsCaught(WholeHunt hunt, ITestOutputHelper output) : IClassFixture<WholeHunt>
{
    public static TheoryData<string> Names => [.. BugList.All.Select(bug => bug.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void ByItsTest(string bug)
    {
        var finding = hunt.Of(bug);
        output.WriteLine($"{finding.Time.TotalSeconds:F1} s: {finding.Caught}");
        Assert.True(finding.Missed is null, $"{finding.Bug.CaughtBy}: {finding.Missed}");
    }
}

public sealed class BugListIsConsistent
{
    [Fact]
    public void EveryBugHasItsOwnNameAndChange()
    {
        Assert.True(BugList.All.Count >= 40);
        Assert.Distinct(BugList.All.Select(bug => bug.Name));
        Assert.Distinct(BugList.All.Select(bug => bug.Wrong));
        Assert.All(BugList.All, bug => Assert.Matches("^[a-z0-9-]+$", bug.Name));
        Assert.All(BugList.All, bug => Assert.NotEmpty(bug.Edits));
    }

    [Fact]
    public void DocumentListsEveryBug()
    {
        var document = File.ReadAllLines(Path.Combine(TestBed.Root(), Document.Path));
        var rows = document.Where(line => Regex.IsMatch(line, "^\\| `")).ToList();
        Assert.Equal(Document.Rows, rows); // `dotnet run -c Release --project tests/Seeded -- list` prints them
    }
}
