using System.Text.RegularExpressions;
using Xunit;

namespace Varve.Tests.Tidy;

/// <summary>Each lock of the engine is one of LockOrder, which states its rank and the state that it guards.</summary>
public partial class LocksHaveRanks
{
    private const string Order = "src/Engine/Epochs/LockOrder.cs";

    private static readonly string[] Wrappers =
        ["src/Engine/Epochs/RankedLock.cs", "src/Engine/Epochs/RankedMonitor.cs"];

    [Fact]
    public void EveryLockHasPlaceInOrder() =>
        Complaints.None(
            SourceTree.CSharp("src/Engine/").Where(file => !Wrappers.Contains(file.Path)).Places(PlainLock()));

    [Fact]
    public void EachPlaceInOrderIsOneLock()
    {
        var made = SourceTree.CSharp("src/Engine/").SelectMany(file => Made().Matches(file.Text)).ToLookup(
            match => match.Groups["which"].Value);
        var stated = Stated().Matches(SourceTree.Read(Order)).Select(match => match.Groups["which"].Value).ToList();
        Assert.NotEmpty(stated);
        Complaints.None(
            [
                .. stated.Where(which => made[which].Count() != 1).Select(
                    which => $"{which}: {made[which].Count()} locks are made of it, not one"),
            ]);
    }

    [GeneratedRegex(@"\block \(|\bnew Lock\b|\bLock \w+ = new\b|\bMonitor\s*\.")]
    private static partial Regex PlainLock();

    [GeneratedRegex(@"\bnew\(LockOrder\.(?<which>\w+)\)")]
    private static partial Regex Made();

    [GeneratedRegex(@"^    (?<which>\w+) = 0x", RegexOptions.Multiline)]
    private static partial Regex Stated();
}
