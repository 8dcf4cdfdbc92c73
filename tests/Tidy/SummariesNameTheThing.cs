using System.Text.RegularExpressions;
using Xunit;

namespace Varve.Tests.Tidy;

/// <summary>
/// A summary opens with a noun or a verb: the thing, or the effect of a call. A question word or "As" makes a reader
/// guess the subject.
/// </summary>
public partial class SummariesNameTheThing
{
    [Fact]
    public void NoSummaryOpensWithQuestionWordOrAs()
    {
        Complaints.None(
            from file in SourceTree.CSharp("src/")
            let openings = Opening().Count(file.Text)
            where openings > 0
            select $"{file.Path}: {openings} summaries open with a question word or 'As'");
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
