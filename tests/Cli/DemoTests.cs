using Xunit;

namespace Varve.Tests.Cli;

public sealed class DemoTests : IDisposable
{
    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task DemoGivesKnownAnswersAndLeavesNothing()
    {
        var result = await _tool.RunAsync("demo");
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        Assert.Contains("Every answer was the known one", result.Output);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_tool.Root));
    }
}
