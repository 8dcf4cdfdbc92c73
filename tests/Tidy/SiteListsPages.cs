using Xunit;

namespace Varve.Tests.Tidy;

/// <summary>The table of contents of the documentation site leads to every page of docs.</summary>
public class SiteListsPages
{
    [Fact]
    public void EveryPageIsInTableOfContents()
    {
        var contents = SourceTree.Read("eng/site/toc.yml");
        Complaints.None(
            from page in SourceTree.Files
            where page.Path.StartsWith("docs/", StringComparison.Ordinal)
                && page.Path.EndsWith(".md", StringComparison.Ordinal)
                && !page.Path.StartsWith("docs/decisions/", StringComparison.Ordinal) // their index lists them
                && !contents.Contains($"href: ../../{page.Path} ", StringComparison.Ordinal)
            select $"{page.Path} is not in eng/site/toc.yml");
    }
}
