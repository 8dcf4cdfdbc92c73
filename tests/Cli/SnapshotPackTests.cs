using System.Text.Json;
using Xunit;

namespace Varve.Tests.Cli;

/// <summary><c>snapshot pack</c> and <c>unpack</c>: a directory as one file, and back.</summary>
public sealed class SnapshotPackTests : IDisposable
{
    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task DirectoryIsPackedAndUnpacked()
    {
        var made = await MakeAsync();
        Assert.Equal(0, (await _tool.RunAsync("snapshot", "pack", "s", "s.varve")).ExitCode);
        var unpacked = await _tool.RunAsync("snapshot", "unpack", "s.varve", "again", "--json");
        Assert.Equal(0, unpacked.ExitCode);
        using var json = JsonDocument.Parse(unpacked.Output);
        Assert.Equal(
            Convert.ToHexStringLower(made.Checksum.Span), json.RootElement.GetProperty("checksum").GetString());
        Assert.Equal(0, (await _tool.RunAsync("snapshot", "verify", "again")).ExitCode);
    }

    [Fact]
    public async Task ExistingFilesAreLeft()
    {
        await MakeAsync();
        await File.WriteAllTextAsync(_tool.PathOf("s.varve"), "mine");
        Assert.Equal(1, (await _tool.RunAsync("snapshot", "pack", "s", "s.varve")).ExitCode);
        Assert.Equal("mine", await File.ReadAllTextAsync(_tool.PathOf("s.varve")));
        Assert.Equal(0, (await _tool.RunAsync("snapshot", "pack", "s", "free.varve")).ExitCode);
        Assert.Equal(3, (await _tool.RunAsync("snapshot", "unpack", "free.varve", "s")).ExitCode);
    }

    [Fact]
    public async Task BrokenFileIsCorruption()
    {
        await MakeAsync();
        await _tool.RunAsync("snapshot", "pack", "s", "s.varve");
        var bytes = await File.ReadAllBytesAsync(_tool.PathOf("s.varve"));
        await File.WriteAllBytesAsync(_tool.PathOf("cut.varve"), bytes[..^1]);
        var failed = await _tool.RunAsync("snapshot", "unpack", "cut.varve", "again");
        Assert.Equal(2, failed.ExitCode);
        Assert.Single(failed.ErrorLines);
        Assert.False(Directory.Exists(_tool.PathOf("again")));
        Assert.Equal(3, (await _tool.RunAsync("snapshot", "unpack", "nowhere", "again")).ExitCode);
        Assert.Equal(3, (await _tool.RunAsync("snapshot", "pack", "nowhere", "x.varve")).ExitCode);
    }

    [Fact]
    public async Task BytesBehindPackAreRefusedInFile()
    {
        await MakeAsync();
        await _tool.RunAsync("snapshot", "pack", "s", "s.varve");
        var bytes = await File.ReadAllBytesAsync(_tool.PathOf("s.varve"));
        await File.WriteAllBytesAsync(_tool.PathOf("long.varve"), [.. bytes, 0]);
        var failed = await _tool.RunAsync("snapshot", "unpack", "long.varve", "again");
        Assert.Equal(2, failed.ExitCode);
        Assert.Contains($"offset {bytes.Length}", Assert.Single(failed.ErrorLines), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_tool.PathOf("again")));
    }

    private async Task<SnapshotMetadata> MakeAsync()
    {
        using var engine = LsmStateMachine.Open(_tool.PathOf("data"));
        await engine.ApplyChunkAsync(new[] { new ApplyEntry(1, 1, Command.Insert("a", "1")) });
        return await engine.CreateSnapshotAsync(_tool.PathOf("s"));
    }
}
