using Xunit;

namespace Varve.Tests.Tidy;

/// <summary>Invariant I1 is kept in one file: no other one moves the position that readers see.</summary>
public class PublicationIsInOnePlace
{
    [Fact]
    public void OnlyPublisherCallsPublish() =>
        Assert.Equal(["src/Engine/Commit/Publisher.cs"], Publishing(ProductCode.OfTheTree).Distinct());

    [Fact]
    public void OtherCallIsFound()
    {
        const string path = "src/Engine/Snapshots/Smuggled.cs";
        var code = ProductCode.OfTheTree.With(new SourceFile(path, """
            namespace Varve.Snapshots;

            internal static class Smuggled
            {
                public static void Of(Versions.DbVersion version) => version.Applied.Publish(default);
            }
            """));
        Assert.Equal([path], Publishing(code));
    }

    private static IEnumerable<string> Publishing(ProductCode code) =>
        code.Uses.Where(use => use.Name == "Publish" && Path.GetFileName(use.Used) == "AppliedPosition.cs")
            .Select(use => use.User);
}
