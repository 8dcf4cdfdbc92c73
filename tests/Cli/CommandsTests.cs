using System.Buffers.Binary;
using Xunit;

namespace Varve.Tests.Cli;

/// <summary>Each command once, on a small log of the test's own.</summary>
public sealed class CommandsTests : IDisposable
{
    private readonly Tool _tool = new();

    private string Data => _tool.PathOf("data");

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task AppliedEntriesAreRead()
    {
        await ApplyAsync();
        Assert.Equal("two", (await SucceedAsync("get", "b", "--data", Data)).Output);
        Assert.Equal("two", (await SucceedAsync("get", "hex:62", "--data", Data)).Output);
        Assert.Equal("a\tone\nb\ttwo\n", (await SucceedAsync("scan", "--data", Data)).Output);
        Assert.Equal("b\ttwo\n", (await SucceedAsync("scan", "--reverse", "--limit", "1", "--data", Data)).Output);
        Assert.Equal(
            "{\"key\":\"a\",\"value\":\"one\",\"revision\":2}\n",
            (await SucceedAsync("scan", "a", "--json", "--data", Data)).Output);
        Assert.Contains("\"count\": 2", (await SucceedAsync("stat", "--json", "--data", Data)).Output);
    }

    [Fact]
    public async Task AbsentKeyIsNotFound()
    {
        await ApplyAsync();
        var result = await _tool.RunAsync("get", "c", "--data", Data);
        Assert.Equal((6, "", "varve: not found"), (result.ExitCode, result.Output, Assert.Single(result.ErrorLines)));
    }

    [Fact]
    public async Task LogWithGapIsUsageError()
    {
        var log = _tool.PathOf("gap.log");
        await File.WriteAllBytesAsync(log, Frame(Insert(5, "a", "one")));
        var result = await _tool.RunAsync("apply", log, "--data", Data);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("offset 0", Assert.Single(result.ErrorLines));
    }

    [Fact]
    public async Task SnapshotPassesVerifyAndInstall()
    {
        await ApplyAsync();
        await SucceedAsync("compact", "--data", Data);
        var (snapshot, packed) = (_tool.PathOf("snapshot"), _tool.PathOf("snapshot.varve"));
        Assert.Contains(
            "index     2\n",
            (await SucceedAsync("snapshot", "create", "--data", Data, "--out", snapshot, "--pack", packed)).Output);
        Assert.Contains("2 keys", (await SucceedAsync("snapshot", "verify", packed)).Output);
        Assert.Contains("2 keys", (await SucceedAsync("snapshot", "verify", snapshot)).Output);
        Assert.Contains("at index 2", (await SucceedAsync("dump", "snapshot", snapshot)).Output);
        var second = _tool.PathOf("second");
        await SucceedAsync("snapshot", "install", snapshot, "--data", second);
        Assert.Equal("a\tone\nb\ttwo\n", (await SucceedAsync("scan", "--data", second)).Output);

        await SucceedAsync("snapshot", "install", packed, "--data", _tool.PathOf("third"));
        Assert.Equal("a\tone\nb\ttwo\n", (await SucceedAsync("scan", "--data", _tool.PathOf("third"))).Output);

        var wrong = await _tool.RunAsync(
            "snapshot", "install", snapshot, "--data", second, "--checksum", new string('0', 64));
        Assert.Equal(2, wrong.ExitCode);
        Assert.Single(wrong.ErrorLines);
    }

    [Fact]
    public async Task SnapshotBesideOwnerLeavesDatabaseUnchanged()
    {
        await ApplyAsync();
        await SucceedAsync("compact", "--data", Data);
        using var engine = LsmStateMachine.Open(Data);
        engine.ApplyChunk(
            [new ApplyEntry(3, 1, Command.Insert("c"u8.ToArray(), "three"u8.ToArray()))], new ApplyResult[1]);
        var before = Directory.GetFiles(Data).Order()
            .Select(path => (path, new FileInfo(path).Length, new FileInfo(path).LastWriteTimeUtc)).ToArray();
        var snapshot = _tool.PathOf("snapshot");
        Assert.Contains(
            "index     3\n", (await SucceedAsync("snapshot", "create", "--data", Data, "--out", snapshot)).Output);
        Assert.Equal(before, Directory.GetFiles(Data).Order()
            .Select(path => (path, new FileInfo(path).Length, new FileInfo(path).LastWriteTimeUtc)));
        engine.ApplyChunk([new ApplyEntry(4, 1, Command.Delete("a"u8.ToArray()))], new ApplyResult[1]);
        await engine.CompactAsync();

        await SucceedAsync("snapshot", "verify", snapshot);
        await SucceedAsync("snapshot", "install", snapshot, "--data", _tool.PathOf("second"));
        Assert.Equal(
            "a\tone\nb\ttwo\nc\tthree\n", (await SucceedAsync("scan", "--data", _tool.PathOf("second"))).Output);
    }

    [Fact]
    public async Task EveryFileOfDatabaseIsDumped()
    {
        await ApplyAsync();
        Assert.Contains("Put 'b', value of 3 bytes", await DumpAsync("wal", "*.wal"));
        await SucceedAsync("compact", "--data", Data);
        Assert.Contains("Put 'a', value of 3 bytes", await DumpAsync("table", "*.vtab"));
        Assert.Contains("'a'..'b'", await DumpAsync("manifest", "*.vman"));
    }

    private async Task<string> DumpAsync(string kind, string pattern)
    {
        var dump = "";
        foreach (var file in Directory.GetFiles(Data, pattern)) dump += (await SucceedAsync("dump", kind, file)).Output;
        return dump;
    }

    private async Task ApplyAsync()
    {
        var log = _tool.PathOf("small.log");
        await File.WriteAllBytesAsync(log, [.. Frame(Insert(1, "a", "one")), .. Frame(Insert(2, "b", "two"))]);
        Assert.Contains("index 2, term 1", (await SucceedAsync("apply", log, "--data", Data)).Output);
    }

    private async Task<ToolResult> SucceedAsync(params string[] arguments)
    {
        var result = await _tool.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, result.Error);
        return result;
    }

    private static byte[] Frame(byte[] chunk)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, chunk.Length);
        return [.. length, .. chunk];
    }

    // An entry of term 1 by hand: everything here is shorter than 128 bytes, so a length is one byte.
    private static byte[] Insert(byte index, string key, string value)
    {
        byte[] insert = [.. Field(1, System.Text.Encoding.UTF8.GetBytes(key)), .. Field(
            2, System.Text.Encoding.UTF8.GetBytes(value))];
        byte[] entry = [0x08, index, 0x10, 1, .. Field(3, Field(2, Field(1, insert)))];
        return [(byte)entry.Length, .. entry];
    }

    private static byte[] Field(int number, byte[] bytes) => [(byte)(number << 3 | 2), (byte)bytes.Length, .. bytes];
}
