
namespace Varve.Tests.Tidy;

/// <summary>
/// The pairs of files, user and used, that point up the Layers table today. The list may only shrink: a test refuses a
/// pair that is not here, and one that is here and no longer in the tree.
/// </summary>
internal static class UpwardPairs
{
    public static readonly string[] Known =
    [
        "EngineOptions.cs -> IStorage.cs",
        "EngineOptions.cs -> ManualScheduler.cs",
    ];
}
