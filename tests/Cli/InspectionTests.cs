using System.Text.Json;
using Xunit;

namespace Varve.Tests.Cli;

/// <summary><c>verify</c> and <c>repair</c> as their users run them: what they print, what they end with, and that they leave things as they are.</summary>
public sealed class InspectionTests : IDisposable
{
    private readonly Tool _tool = new();

    private string Data => _tool.PathOf("data");

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task AWholeDatabaseIsWhole()
    {
        await MakeAsync();
        foreach (var arguments in (string[][])[["verify", Data], ["verify", "--deep", Data]])
        {
            var result = await _tool.RunAsync(arguments);
            Assert.Equal((0, ""), (result.ExitCode, result.Error));
            Assert.StartsWith("ok  database: ", result.Output);
        }
    }

    [Fact]
    public async Task DamageIsListedAndTwo()
    {
        await MakeAsync();
        var table = Directory.GetFiles(Data, "*.vtab").Single();
        Flip(table, 70);
        Assert.Equal(0, (await _tool.RunAsync("verify", Data)).ExitCode);
        var result = await _tool.RunAsync("verify", "--deep", Data);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains($"damage  {table} at 0: data block", result.Output);
        Assert.Equal($"varve: {Data}: 1 damage", Assert.Single(result.ErrorLines));
    }

    [Fact]
    public async Task JsonSaysTheSame()
    {
        await MakeAsync();
        var table = Directory.GetFiles(Data, "*.vtab").Single();
        Flip(table, 70);
        Flip(Path.Combine(Data, "IDENTITY"), 20);
        var before = State();
        var result = await _tool.RunAsync("verify", "--deep", "--json", Data);
        Assert.Equal(2, result.ExitCode);
        Assert.Equal(before, State());
        using var json = JsonDocument.Parse(result.Output);
        var root = json.RootElement;
        Assert.False(root.GetProperty("whole").GetBoolean());
        Assert.Equal(2, root.GetProperty("damages").GetInt32());
        var files = root.GetProperty("problems").EnumerateArray().Select(problem => problem.GetProperty("file").GetString()!).ToArray();
        Assert.Equal([Path.Combine(Data, "IDENTITY"), table], files);
        Assert.True(root.GetProperty("bytes").GetInt64() > 0);
    }

    [Fact]
    public async Task WhatIsNotThereIsInputOutputAndNoArgumentIsUsage()
    {
        Assert.Equal(3, (await _tool.RunAsync("verify", _tool.PathOf("missing"))).ExitCode);
        Directory.CreateDirectory(_tool.PathOf("empty"));
        Assert.Equal(3, (await _tool.RunAsync("verify", _tool.PathOf("empty"))).ExitCode);
        Assert.Equal(1, (await _tool.RunAsync("verify")).ExitCode);
    }

    [Fact]
    public async Task AnOpenDatabaseIsRefused()
    {
        using var engine = LsmStateMachine.Open(Data);
        var result = await _tool.RunAsync("verify", Data);
        Assert.Equal(3, result.ExitCode);
        Assert.Contains("already open", Assert.Single(result.ErrorLines));
    }

    [Fact]
    public async Task RepairSavesWhatItCanAndSaysSo()
    {
        await MakeAsync();
        var whole = await _tool.RunAsync("repair", Data, "--out", _tool.PathOf("whole"));
        Assert.Equal((0, "exact: the state of index 3, term 2; 3 keys\n"), (whole.ExitCode, whole.Output));
        Assert.Equal("a\tone\nb\ttwo\nc\tthree\n", (await _tool.RunAsync("scan", "--data", _tool.PathOf("whole"))).Output);
        Assert.Equal(1, (await _tool.RunAsync("repair", Data, "--out", _tool.PathOf("whole"))).ExitCode);

        Flip(Directory.GetFiles(Data, "*.vtab").Single(), 70);
        var before = State();
        var damaged = await _tool.RunAsync("repair", Data, "--out", _tool.PathOf("damaged"), "--json");
        Assert.Equal(2, damaged.ExitCode);
        Assert.Equal("c\tthree\n", (await _tool.RunAsync("scan", "--data", _tool.PathOf("damaged"))).Output);
        Assert.Equal(0, (await _tool.RunAsync("verify", "--deep", _tool.PathOf("damaged"))).ExitCode);
        using var json = JsonDocument.Parse(damaged.Output);
        Assert.False(json.RootElement.GetProperty("exact").GetBoolean());
        Assert.Equal(1, json.RootElement.GetProperty("losses").GetArrayLength());
        Directory.Delete(_tool.PathOf("damaged"), recursive: true);
        Assert.Equal(before, State());
    }

    /// <summary>A table of two keys, and one more in the log.</summary>
    private async Task MakeAsync()
    {
        using var engine = LsmStateMachine.Open(Data);
        await engine.ApplyChunkAsync(new ApplyEntry[] { new(1, 1, Command.Insert("a"u8.ToArray(), "one"u8.ToArray())), new(2, 1, Command.Insert("b"u8.ToArray(), "two"u8.ToArray())) });
        await engine.CompactAsync();
        await engine.ApplyChunkAsync(new ApplyEntry[] { new(3, 2, Command.Insert("c"u8.ToArray(), "three"u8.ToArray())) });
    }

    private List<(string, string, DateTime)> State() =>
    [
        .. new DirectoryInfo(_tool.Root).EnumerateFileSystemInfos("*", SearchOption.AllDirectories).OrderBy(entry => entry.FullName, StringComparer.Ordinal)
            .Select(entry => (
                entry.FullName,
                entry is FileInfo file ? Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file.FullName))) : "",
                entry.LastWriteTimeUtc)),
    ];

    private static void Flip(string path, long offset)
    {
        using var file = File.Open(path, FileMode.Open);
        file.Position = offset;
        var value = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(value ^ 1));
    }
}
