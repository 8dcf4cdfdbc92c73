using System.Text.Json;
using Xunit;

namespace Varve.Tests.Cli;

/// <summary>
/// <c>verify</c> and <c>repair</c> as their users run them: what they print, what they end with, and that they leave
/// things as they are.
/// </summary>
public sealed class InspectionTests : IDisposable
{
    private readonly Tool _tool = new();

    private string Data => _tool.PathOf("data");

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task IntactDatabaseVerifies()
    {
        await MakeAsync();
        foreach (var arguments in (string[][])[
            ["verify", Data], ["verify", "--deep", Data], ["verify", "--quick", Data]])
        {
            var result = await _tool.RunAsync(arguments);
            Assert.Equal((0, ""), (result.ExitCode, result.Error));
            Assert.StartsWith("ok  database: ", result.Output);
        }
    }

    [Fact]
    public async Task DamageIsListedAndExitsWithTwo()
    {
        await MakeAsync();
        var table = Directory.GetFiles(Data, "*.vtab").Single();
        Flip(table, 70);
        Assert.Equal(0, (await _tool.RunAsync("verify", "--quick", Data)).ExitCode);
        var result = await _tool.RunAsync("verify", Data);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains($"damage  {table} at 0: data block", result.Output);
        Assert.Equal($"varve: {Data}: 1 damage", Assert.Single(result.ErrorLines));
    }

    [Fact]
    public async Task JsonReportsSameProblems()
    {
        await MakeAsync();
        var table = Directory.GetFiles(Data, "*.vtab").Single();
        Flip(table, 70);
        Flip(Path.Combine(Data, "IDENTITY"), 20);
        var before = State();
        var result = await _tool.RunAsync("verify", "--json", Data);
        Assert.Equal(2, result.ExitCode);
        Assert.Equal(before, State());
        using var json = JsonDocument.Parse(result.Output);
        var root = json.RootElement;
        Assert.False(root.GetProperty("whole").GetBoolean());
        Assert.Equal(2, root.GetProperty("damages").GetInt32());
        var files = root.GetProperty("problems").EnumerateArray()
            .Select(problem => problem.GetProperty("file").GetString()!).ToArray();
        Assert.Equal([Path.Combine(Data, "IDENTITY"), table], files);
        Assert.True(root.GetProperty("bytes").GetInt64() > 0);
    }

    [Fact]
    public async Task MissingPathIsIoErrorAndNoArgumentIsUsageError()
    {
        Assert.Equal(3, (await _tool.RunAsync("verify", _tool.PathOf("missing"))).ExitCode);
        Directory.CreateDirectory(_tool.PathOf("empty"));
        Assert.Equal(3, (await _tool.RunAsync("verify", _tool.PathOf("empty"))).ExitCode);
        Assert.Equal(1, (await _tool.RunAsync("verify")).ExitCode);
    }

    [Fact]
    public async Task DatabaseIsVerifiedBesideItsOwner()
    {
        await MakeAsync();
        var table = Directory.GetFiles(Data, "*.vtab").Single();
        using var engine = LsmStateMachine.Open(Data);
        var whole = await _tool.RunAsync("verify", Data);
        Assert.Equal((0, ""), (whole.ExitCode, whole.Error));
        Assert.Contains("checked is the state at index 3", whole.Output);
        Assert.Contains("ok  database: ", whole.Output);
        Flip(table, 70);
        var damaged = await _tool.RunAsync("verify", Data);
        Assert.Equal(2, damaged.ExitCode);
        Assert.Contains($"damage  {table} at 0: data block", damaged.Output);
        Assert.Equal(3, (await _tool.RunAsync("repair", Data, "--out", _tool.PathOf("repaired"))).ExitCode);
    }

    [Fact]
    public async Task ProgressNamesEveryFileOnRequest()
    {
        await MakeAsync();
        var result = await _tool.RunAsync("verify", "--progress", Data);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(
            Directory.GetFiles(Data, "*.v*").Concat(Directory.GetFiles(Data, "*.wal")).Select(path => "reading " + path)
                .Order(),
            result.ErrorLines.Order());
    }

    [Fact]
    public async Task BothVerifiersReportSameSnapshotDamage()
    {
        await MakeAsync();
        var (snapshot, packed) = (_tool.PathOf("snapshot"), _tool.PathOf("snapshot.varve"));
        Assert.Equal(
            0,
            (await _tool.RunAsync("snapshot", "create", "--data", Data, "--out", snapshot, "--pack", packed)).ExitCode);
        var table = Directory.GetFiles(snapshot, "*.vtab").Order(StringComparer.Ordinal).Last();
        File.Copy(table, table + ".copy");
        File.Move(table + ".copy", table, overwrite: true); // not the database's any more
        foreach (var (file, path) in ((string, string)[])[(table, snapshot), (packed, packed)])
        {
            Flip(file, new FileInfo(file).Length / 2);
            var brief = await _tool.RunAsync("snapshot", "verify", path);
            var full = await _tool.RunAsync("verify", path);
            Assert.Equal((2, 2), (brief.ExitCode, full.ExitCode));
            Assert.Equal(brief.Error, full.Error);
            Assert.Equal(brief.Output.Split('\n')[0], full.Output.Split('\n')[0]);
        }
    }

    [Fact]
    public async Task StatDoesNotCallRecordBeingWrittenTornTail()
    {
        await MakeAsync();
        using var engine = LsmStateMachine.Open(Data);
        var segment = Directory.GetFiles(Data, "*.wal").Order(StringComparer.Ordinal).Last();
        await engine.ApplyChunkAsync(
            new ApplyEntry[] { new(4, 2, Command.Insert("d"u8.ToArray(), "four"u8.ToArray())) });
        await engine.ApplyChunkAsync(
            new ApplyEntry[] { new(5, 2, Command.Insert("e"u8.ToArray(), "five"u8.ToArray())) });
        // The writer finishes this record and appends another while the reader looks.
        Flip(segment, File.ReadAllBytes(segment).AsSpan().IndexOf("four"u8));
        var result = await _tool.RunAsync("stat", "--data", Data);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("being", result.Output);
        Assert.DoesNotContain("of torn tail", result.Output);
        using var json = JsonDocument.Parse((await _tool.RunAsync("stat", "--json", "--data", Data)).Output);
        Assert.True(json.RootElement.GetProperty("incomplete_tail_bytes").GetInt64() > 0);
    }

    [Fact]
    public async Task RepairReportsSavedContent()
    {
        await MakeAsync();
        var whole = await _tool.RunAsync("repair", Data, "--out", _tool.PathOf("whole"));
        Assert.Equal((0, "exact: the state of index 3, term 2; 3 keys\n"), (whole.ExitCode, whole.Output));
        Assert.Equal(
            "a\tone\nb\ttwo\nc\tthree\n", (await _tool.RunAsync("scan", "--data", _tool.PathOf("whole"))).Output);
        Assert.Equal(1, (await _tool.RunAsync("repair", Data, "--out", _tool.PathOf("whole"))).ExitCode);

        Flip(Directory.GetFiles(Data, "*.vtab").Single(), 70);
        var before = State();
        var damaged = await _tool.RunAsync("repair", Data, "--out", _tool.PathOf("damaged"), "--json");
        Assert.Equal(2, damaged.ExitCode);
        Assert.Equal("c\tthree\n", (await _tool.RunAsync("scan", "--data", _tool.PathOf("damaged"))).Output);
        Assert.Equal(0, (await _tool.RunAsync("verify", _tool.PathOf("damaged"))).ExitCode);
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
        await engine.ApplyChunkAsync(
            new ApplyEntry[] { new(1, 1, Command.Insert("a"u8.ToArray(), "one"u8.ToArray())), new(
                2, 1, Command.Insert("b"u8.ToArray(), "two"u8.ToArray())) });
        await engine.CompactAsync();
        await engine.ApplyChunkAsync(
            new ApplyEntry[] { new(3, 2, Command.Insert("c"u8.ToArray(), "three"u8.ToArray())) });
    }

    private List<(string, string, DateTime)> State() =>
    [
        .. new DirectoryInfo(_tool.Root).EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
            .OrderBy(entry => entry.FullName, StringComparer.Ordinal)
            .Select(entry => (
                entry.FullName,
                entry is FileInfo file
                    ? Convert.ToHexString(
                        System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file.FullName)))
                    : "",
                entry.LastWriteTimeUtc)),
    ];

    private static void Flip(string path, long offset)
    {
        using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Position = offset;
        var value = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(value ^ 1));
    }
}
