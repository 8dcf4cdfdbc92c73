using System.Text.RegularExpressions;
using Xunit;

namespace Varve.Tests.Tidy;

/// <summary>
/// A summary opens with a noun or a verb: the thing, or the effect of a call. A question word or "As" makes a reader
/// guess the subject.
/// </summary>
public partial class SummariesNameTheThing
{
    /// <summary>Files with summaries that still open with "As", and how many. This list only becomes shorter.</summary>
    private static readonly Dictionary<string, int> Left = new()
    {
        ["src/Engine/Commit/CommitPipeline.cs"] = 1,
        ["src/Engine/Commit/WriteThrottle.cs"] = 1,
        ["src/Engine/Contract/Durability.cs"] = 1,
        ["src/Engine/Epochs/EpochTable.cs"] = 1,
        ["src/Engine/Iterators/MergingIterator.cs"] = 2,
        ["src/Engine/LiveKeys/ExpiredLeases.cs"] = 1,
        ["src/Engine/Storage/DirectoryTree.cs"] = 1,
        ["src/Engine/Storage/DurableFile.cs"] = 1,
        ["src/Engine/Storage/IStorage.cs"] = 1,
        ["src/Engine/Storage/MappingAccess.cs"] = 2,
        ["src/Engine/Tables/Blocks/DataBlockView.cs"] = 1,
        ["src/Engine/Tables/Table.Open.cs"] = 1,
        ["src/Engine/Tables/Table.Verify.cs"] = 1,
        ["src/Engine/Tables/Table.cs"] = 1,
        ["src/Engine/Versions/VersionSet.cs"] = 1,
        ["src/Engine/Wal/SegmentPool.cs"] = 1,
        ["src/Engine/Wal/WalRecovery.cs"] = 1,
        ["src/Format/Wal/WalOperationReader.cs"] = 1,
    };

    [Fact]
    public void NoSummaryOpensWithQuestionWordOrAs()
    {
        var found = SourceTree.CSharp("src/").Select(file => (file.Path, Openings: Opening().Count(file.Text)))
            .Where(file => file.Openings > 0).ToDictionary(file => file.Path, file => file.Openings);
        Complaints.None(
            from path in found.Keys.Union(Left.Keys).Order(StringComparer.Ordinal)
            let openings = found.GetValueOrDefault(path)
            let known = Left.GetValueOrDefault(path)
            where openings != known
            select $"{path}: {openings} summaries open with a question word or 'As', the list says {known}");
    }

    [Theory]
    [InlineData("/// <summary>What it is.</summary>", true)]
    [InlineData("/// <summary>\n    /// As <see cref=\"A\"/>.", true)]
    [InlineData("/// <summary>\r\n    /// Whether it holds.", true)]
    [InlineData("/// <summary>Whole keys.</summary>", false)]
    [InlineData("/// <summary>Ascending keys.</summary>", false)]
    [InlineData("/// <summary>\n    /// The first.\n    /// What follows.", false)]
    public void RuleSeesOpening(string docs, bool refused) => Assert.Equal(refused, Opening().IsMatch(docs));

    [GeneratedRegex(@"<summary>(?:\s|///)*(What|Where|How|Whether|As|Who)\b")]
    private static partial Regex Opening();
}
