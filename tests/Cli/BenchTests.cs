using System.Text.Json;
using Xunit;

namespace Varve.Tests.Cli;

/// <summary><c>bench</c> counts what it did, orders its percentiles and leaves nothing behind.</summary>
public sealed class BenchTests : IDisposable
{
    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task EveryWorkloadIsMeasuredAndDirectoryRemoved()
    {
        var result = await BenchAsync("--json");
        Assert.True(result.ExitCode == 0, result.Error);
        var lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(
            [("fill", 11L, 105L), ("read", 20L, 20L), ("scan", 20L, 0L), ("mixed", 20L, 20L)],
            lines.Select(line => (
                line.GetProperty("workload").GetString()!, line.GetProperty("calls").GetInt64(),
                line.GetProperty("workload").GetString() == "scan" ? 0 : line.GetProperty("entries").GetInt64())));
        Assert.InRange(lines[2].GetProperty("entries").GetInt64(), 20, 20 * 5);
        foreach (var line in lines)
        {
            double[] percentiles =
            [
                .. new[] { "p50_us", "p90_us", "p99_us", "p999_us", "max_us" }
                    .Select(name => line.GetProperty(name).GetDouble()),
            ];
            Assert.Equal(percentiles.Order(), percentiles);
            Assert.True(percentiles[0] > 0);
        }

        Assert.False(Directory.Exists(_tool.PathOf("bench")));
    }

    [Fact]
    public async Task WorkloadsAreChosenAndPrintedAsTable()
    {
        var output = (await BenchAsync("--workload", "read", "--power")).Output;
        Assert.Matches(@"fill\s+11 ", output);
        Assert.Matches(@"read\s+20 ", output);
        Assert.DoesNotContain("mixed", output);
    }

    [Fact]
    public async Task ExistingDirectoryIsRefusedAndKept()
    {
        Directory.CreateDirectory(_tool.PathOf("bench"));
        var result = await BenchAsync();
        Assert.Equal(1, result.ExitCode);
        Assert.Single(result.ErrorLines);
        Assert.True(Directory.Exists(_tool.PathOf("bench")));
    }

    [Theory]
    [InlineData("--value-bytes", "0")]
    [InlineData("--chunk", "65537")]
    [InlineData("--workload", "all")]
    public async Task BadSizeIsUsageErrorAndCreatesNothing(params string[] arguments)
    {
        var result = await _tool.RunAsync(["bench", _tool.PathOf("bench"), .. arguments]);
        Assert.Equal(1, result.ExitCode);
        Assert.Single(result.ErrorLines);
        Assert.False(Directory.Exists(_tool.PathOf("bench")));
    }

    private Task<ToolResult> BenchAsync(params string[] more) => _tool.RunAsync(
        [
            "bench", _tool.PathOf("bench"), "--keys", "105", "--chunk", "10", "--calls", "20", "--scan-entries", "5",
            .. more,
        ]);
}
