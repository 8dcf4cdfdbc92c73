using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Varve.Tests.Tidy;

/// <summary>The tree around the code: projects, documents, commands.</summary>
public partial class TreeIsConsistent
{
    [Fact]
    public void ProductUsesAllowedPackagesOnly()
    {
        foreach (var (project, allowed) in HouseRules.ProductPackages)
            Complaints.None(References(project, "PackageReference").Except(allowed));
        foreach (var (project, allowed) in HouseRules.ProductProjects)
            Assert.Equal(allowed, References(project, "ProjectReference"));
    }

    [Fact]
    public void VersionsAreCentral() =>
        Complaints.None(SourceTree.Files.Where(file => file.Path.EndsWith(".csproj", StringComparison.Ordinal)).Places(
            PackageVersion(), wholeText: true));

    /// <summary>The benchmark beside other engines is apart: the test command restores none of their natives.</summary>
    [Fact]
    public void EveryProjectIsInSolution()
    {
        var solution = SourceTree.Read("Engine.sln").Replace('\\', '/');
        var peers = SourceTree.Read("bench/Peers/Peers.slnx");
        Complaints.None(
            SourceTree.Files.Select(file => file.Path).Where(path => path.EndsWith(".csproj", StringComparison.Ordinal))
                .Where(path => !solution.Contains($"\"{path}\"", StringComparison.Ordinal)
                    && !peers.Contains($"\"{Path.GetRelativePath("bench/Peers", path)}\"", StringComparison.Ordinal)));
        Assert.DoesNotContain("bench/Peers", solution, StringComparison.Ordinal);
    }

    [Fact]
    public void DecisionsAreNumberedInOrderDatedAndListed()
    {
        var list = SourceTree.Read("docs/decisions/README.md");
        var decisions = SourceTree.Files
            .Where(file => file.Path.StartsWith("docs/decisions/", StringComparison.Ordinal)
                && file.Path != "docs/decisions/README.md")
            .OrderBy(file => file.Path, StringComparer.Ordinal).ToList();
        Complaints.None(decisions.SelectMany((file, before) =>
        {
            var name = Path.GetFileName(file.Path);
            return new (bool Holds, string Rule)[]
            {
                (DecisionName().IsMatch(name) && name.StartsWith($"{before + 1:d4}-", StringComparison.Ordinal),
                    $"is not named {before + 1:d4}-subject.md"),
                (DecisionHead().IsMatch(file.Text) && file.Text.StartsWith($"# {name[..4]} ", StringComparison.Ordinal),
                    "does not begin with its number, title, date and status"),
                (list.Contains($"]({name})", StringComparison.Ordinal), "is not listed in docs/decisions/README.md"),
            }.Where(check => !check.Holds).Select(check => $"{file.Path} {check.Rule}");
        }));
    }

    [Fact]
    public void NoPathLeavesTree() =>
        Complaints.None(SourceTree.Files.Places(OutsidePaths(), wholeText: true));

    [Fact]
    public void LinksBetweenDocumentsResolve()
    {
        var broken =
            from file in SourceTree.Files
            where file.Path.EndsWith(".md", StringComparison.Ordinal)
            from match in Link().Matches(file.Text)
            let target = match.Groups["target"].Value
            where !target.Contains(':', StringComparison.Ordinal)
            let path = Path.GetRelativePath(
                SourceTree.Root, Path.Combine(SourceTree.Root, Path.GetDirectoryName(file.Path)!, target))
            where !SourceTree.Exists(path)
            select $"{file.Place(match.Index)}: {target}";
        Complaints.None(broken);
    }

    [Fact]
    public void ReadmeCommandsExist()
    {
        var readme = SourceTree.Read("README.md");
        Assert.Contains(HouseRules.TestCommand, readme, StringComparison.Ordinal);
        Assert.Contains(HouseRules.DemoCommand, readme, StringComparison.Ordinal);
        Assert.True(SourceTree.Exists("Engine.sln"));
        Assert.Contains(
            SourceTree.CSharp("src/Cli/"), file => file.Text.Contains("\"demo\"", StringComparison.Ordinal));
    }

    [Fact]
    public void CiRunsReadmeCommands()
    {
        var script = SourceTree.Read(".ci/run");
        Assert.StartsWith("#!/usr/bin/env bash\n", script, StringComparison.Ordinal);
        Assert.Contains(HouseRules.TestCommand, script, StringComparison.Ordinal);
        Assert.Contains(HouseRules.DemoCommand, script, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
            Assert.True(
                File.GetUnixFileMode(Path.Combine(SourceTree.Root, ".ci/run")).HasFlag(UnixFileMode.UserExecute));
    }

    private static IEnumerable<string> References(string project, string kind) =>
        XDocument.Parse(SourceTree.Read(project)).Descendants(kind)
            .Select(element => (string)element.Attribute("Include")!)
            .Order(StringComparer.Ordinal);

    [GeneratedRegex("<PackageReference [^>]*Version=")]
    private static partial Regex PackageVersion();

    [GeneratedRegex(@"^\d{4}-[a-z0-9-]+\.md$")]
    private static partial Regex DecisionName();

    [GeneratedRegex(@"\A# \d{4} \S.*\n\n- Date: \d{4}-\d\d-\d\d\n- Status: (accepted|superseded)")]
    private static partial Regex DecisionHead();

    [GeneratedRegex(
        @"\.\./shared\b|\bshared/(design|data|hooks)\b|(?<![\w.~*/-])/(work|home|root|Users)/\w+|\b[C-Z]:\\\\?Users\b")]
    private static partial Regex OutsidePaths();

    [GeneratedRegex(@"\]\((?<target>[^)#\s]+)(#[^)]*)?\)")]
    private static partial Regex Link();
}
