
namespace Varve.Tests.Tidy;

/// <summary>
/// The pairs of files, user and used, that point up the Layers table today. The list may only shrink: a test refuses a
/// pair that is not here, and one that is here and no longer in the tree.
/// </summary>
internal static class UpwardPairs
{
    public static readonly string[] Known =
    [
        "CommandLine.cs -> ApplyCommand.cs",
        "CommandLine.cs -> CompactCommand.cs",
        "CommandLine.cs -> DemoChildCommand.cs",
        "CommandLine.cs -> DemoCommand.cs",
        "CommandLine.cs -> DumpCommand.cs",
        "CommandLine.cs -> GetCommand.cs",
        "CommandLine.cs -> RepairCommand.cs",
        "CommandLine.cs -> ScanCommand.cs",
        "CommandLine.cs -> SnapshotCommand.cs",
        "CommandLine.cs -> StatCommand.cs",
        "CommandLine.cs -> VerifyCommand.cs",
        "EngineOptions.cs -> IStorage.cs",
        "EngineOptions.cs -> ManualScheduler.cs",
    ];
}
