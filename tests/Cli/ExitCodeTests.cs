using System.Reflection;
using Xunit;

namespace Varve.Tests.Cli;

public sealed class ExitCodeTests : IDisposable
{
    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Theory]
    [InlineData("nonsense")]
    [InlineData("get")]
    [InlineData("get", "key")]
    [InlineData("get", "key", "--data", "d", "--no-such-option")]
    [InlineData("get", "hex:xyz", "--data", "d")]
    [InlineData("apply", "log", "--data", "d", "--durability", "eternal")]
    [InlineData("snapshot")]
    [InlineData("dump", "wal")]
    public async Task UsageErrorExitsWithOne(params string[] arguments) =>
        AssertFailed(1, await _tool.RunAsync(arguments));

    [Fact]
    public async Task MissingCommandIsUsageError()
    {
        var result = await _tool.RunAsync();
        AssertFailed(1, result);
        Assert.Contains("varve --help", result.Error);
    }

    [Theory]
    [InlineData("get", "key")]
    [InlineData("scan")]
    [InlineData("stat")]
    [InlineData("compact")]
    public async Task MissingDatabaseIsIoErrorAndIsNotCreated(params string[] arguments)
    {
        AssertFailed(3, await _tool.RunAsync([.. arguments, "--data", _tool.PathOf("missing")]));
        Assert.False(Directory.Exists(_tool.PathOf("missing")));
    }

    [Fact]
    public async Task ExistingPackIsRefusedBeforeSnapshotIsMade()
    {
        var (data, pack, output) = (_tool.PathOf("data"), _tool.PathOf("pack.varve"), _tool.PathOf("snapshot"));
        LsmStateMachine.Open(data).Dispose();
        File.WriteAllText(pack, "mine");
        AssertFailed(1, await _tool.RunAsync("snapshot", "create", "--data", data, "--out", output, "--pack", pack));
        Assert.False(Directory.Exists(output));
        Assert.Equal("mine", File.ReadAllText(pack));
    }

    /// <summary>In a program a latched engine is a state; for a script the disk has failed.</summary>
    [Fact]
    public void LatchedEngineIsIoErrorAndErrorsOfCallerAreUsage()
    {
        Assert.Equal(3, ExitCodeOf(new EngineFaultedException(new IOException("injected"))));
        Assert.Equal(1, ExitCodeOf(new LogGapException(1, 3)));
        Assert.Equal(1, ExitCodeOf(new DuplicateEntryException(1)));
        Assert.Null(ExitCodeOf(new ObjectDisposedException("engine")));

        static int? ExitCodeOf(Exception failure) => (int?)Assembly.Load("varve")
            .GetType("Varve.Cli.Text.Failure", throwOnError: true)!
            .GetMethod("ExitCodeOf", BindingFlags.Public | BindingFlags.Static)!
            .Invoke(null, [failure]);
    }

    [Fact]
    public async Task MissingLogIsIoError() =>
        AssertFailed(3, await _tool.RunAsync("apply", _tool.PathOf("missing.log"), "--data", _tool.PathOf("data")));

    [Fact]
    public async Task FrameBeyondLogIsUsageErrorWithOffset()
    {
        var log = _tool.PathOf("garbage.log");
        await File.WriteAllBytesAsync(log, [0, 0, 0, 1, 1, 2, 3]);
        var result = await _tool.RunAsync("apply", log, "--data", _tool.PathOf("data"));
        AssertFailed(1, result);
        Assert.Contains("offset 0", result.Error);
    }

    [Fact]
    public async Task GarbageChunkIsUsageErrorWithOffset()
    {
        var log = _tool.PathOf("garbage.log");
        // A no-op, then a chunk whose entry claims more bytes than there are.
        byte[] noop = [8, 0x08, 1, 0x10, 1, 0x1A, 2, 0x0A, 0];
        byte[] bytes = [(byte)noop.Length, 0, 0, 0, .. noop, 3, 0, 0, 0, 0x7F, 0, 0];
        await File.WriteAllBytesAsync(log, bytes);
        var result = await _tool.RunAsync("apply", log, "--data", _tool.PathOf("data"));
        AssertFailed(1, result);
        Assert.Contains("offset 13", result.Error);
    }

    [Fact]
    public async Task UndecompressableLogIsUsageError()
    {
        var log = _tool.PathOf("garbage.log.zst");
        await File.WriteAllBytesAsync(log, "not zstd at all, but long enough for a header"u8.ToArray());
        AssertFailed(1, await _tool.RunAsync("apply", log, "--data", _tool.PathOf("data")));
    }

    [Theory]
    [InlineData("wal")]
    [InlineData("table")]
    [InlineData("manifest")]
    [InlineData("snapshot")]
    public async Task DumpOfGarbageIsCorruption(string kind)
    {
        var file = _tool.PathOf("garbage");
        await File.WriteAllBytesAsync(file, [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 31))]);
        AssertFailed(2, await _tool.RunAsync("dump", kind, file));
    }

    [Fact]
    public async Task SnapshotWithoutManifestIsIoError()
    {
        Directory.CreateDirectory(_tool.PathOf("empty"));
        AssertFailed(3, await _tool.RunAsync("snapshot", "verify", _tool.PathOf("empty")));
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("empty")]
    [InlineData("foreign")]
    public async Task FailedCommandCreatesNoDatabase(string kind)
    {
        var data = _tool.PathOf("data");
        if (kind != "missing") Directory.CreateDirectory(data);
        if (kind == "foreign") await File.WriteAllTextAsync(Path.Combine(data, "letter.txt"), "dear reader");
        await File.WriteAllBytesAsync(_tool.PathOf("empty.log"), []);
        await File.WriteAllBytesAsync(_tool.PathOf("torn.log"), [200, 0, 0, 0, 1]);
        await File.WriteAllBytesAsync(_tool.PathOf("garbage.log"), [3, 0, 0, 0, 0x7F, 0, 0]);
        // A no-op of index 7.
        await File.WriteAllBytesAsync(_tool.PathOf("later.log"), [9, 0, 0, 0, 8, 0x08, 7, 0x10, 1, 0x1A, 2, 0x0A, 0]);
        AssertFailed(3, await _tool.RunAsync("compact", "--data", data));
        AssertFailed(3, await _tool.RunAsync("snapshot", "create", "--data", data, "--out", _tool.PathOf("snapshot")));
        AssertFailed(3, await _tool.RunAsync("stat", "--data", data));
        foreach (var log in (string[])["empty.log", "torn.log", "garbage.log", "later.log"])
            AssertFailed(1, await _tool.RunAsync("apply", _tool.PathOf(log), "--data", data));
        Assert.False(Directory.Exists(_tool.PathOf("snapshot")));
        if (kind == "missing") Assert.False(Directory.Exists(data));
        else
            Assert.Equal(
                kind == "foreign" ? ["letter.txt"] : [], Directory.GetFileSystemEntries(data).Select(Path.GetFileName));
    }

    private static void AssertFailed(int exitCode, ToolResult result)
    {
        Assert.True(result.ExitCode == exitCode, $"exit code {result.ExitCode}: {result.Error}");
        Assert.StartsWith("varve: ", Assert.Single(result.ErrorLines));
        Assert.Empty(result.Output);
    }
}
