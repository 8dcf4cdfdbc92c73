using System.Text;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Varve.Tests.Cli;

/// <summary>
/// <c>export</c> and <c>import</c>: what goes out comes back, and an import continues where it stopped.
/// </summary>
public sealed class ExportTests : IDisposable
{
    private static readonly byte[] Binary = [0, 0xFF, 0x80];

    private readonly Tool _tool = new();

    public ExportTests()
    {
        using var engine = LsmStateMachine.Open(Data);
        Apply(
            engine, Command.Insert("a/1"u8.ToArray(), "one"u8.ToArray()),
            Command.Insert("a/2"u8.ToArray(), Encoding.UTF8.GetBytes("zwei ö \"\n"), ttlSeconds: 5000),
            Command.Insert(Binary, Binary), Command.Insert("gone"u8.ToArray(), default),
            Command.Delete("gone"u8.ToArray()), Command.Insert("b"u8.ToArray(), default));
    }

    private string Data => _tool.PathOf("data");

    private string Copy => _tool.PathOf("copy");

    public void Dispose() => _tool.Dispose();

    [Theory]
    [InlineData("jsonl")]
    [InlineData("chunks")]
    public async Task ImportedExportHasSameEntriesAndLeases(string format)
    {
        var file = _tool.PathOf("export");
        Assert.Equal(
            "exported: 4 keys, 26 B, at index 6\n",
            (await SucceedAsync("export", "--data", Data, "--out", file, "--format", format)).Output);
        Assert.StartsWith(
            "imported: 4 entries; 0 were applied before\nlast applied: index 4, term 1\n",
            (await SucceedAsync("import", file, "--data", Copy, "--format", format)).Output);
        Assert.Equal(
            (await SucceedAsync("scan", "--data", Data)).Output, (await SucceedAsync("scan", "--data", Copy)).Output);
        Assert.Equal(["a/2"], Expired(Copy, seconds: 5002));
        Assert.Empty(Expired(Copy, seconds: 4900));
    }

    [Fact]
    public async Task ExportBeginsAtKeyAndStaysWithinPrefix()
    {
        Assert.Equal(
            "{\"key\":\"b\",\"value\":\"\"}\n{\"key_base64\":\"AP+A\",\"value_base64\":\"AP+A\"}\n",
            Sorted((await SucceedAsync("export", "--data", Data, "--from", "b")).Output
                + (await SucceedAsync("export", "--data", Data, "--prefix", "hex:00")).Output));
        var within = (await SucceedAsync("export", "--data", Data, "--prefix", "a/", "--from", "a/2")).Output;
        Assert.StartsWith("{\"key\":\"a/2\",\"value\":\"zwei ö \\\"\\n\",\"expires_ms\":", within);
        Assert.Single(within.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task InterruptedImportContinuesAfterAppliedIndex()
    {
        var (whole, part) = (await LinesAsync(3), _tool.PathOf("part"));
        await File.WriteAllLinesAsync(part, (await File.ReadAllLinesAsync(whole))[..2]);
        await SucceedAsync("import", part, "--data", Copy);
        Assert.Contains("--resume", (await FailAsync("import", whole, "--data", Copy)).Error);
        Assert.StartsWith(
            "imported: 1 entries; 2 were applied before\nlast applied: index 3,",
            (await SucceedAsync("import", whole, "--data", Copy, "--resume")).Output);
        Assert.StartsWith(
            "imported: 0 entries; 3 were applied before\n",
            (await SucceedAsync("import", whole, "--data", Copy, "--resume")).Output);
        Assert.Contains("index 2", (await FailAsync("import", part, "--data", Copy, "--resume")).Error);
    }

    [Fact]
    public async Task ResumeOfOtherLinesIsRefused()
    {
        var other = _tool.PathOf("other");
        await File.WriteAllTextAsync(other, "{\"key\":\"other\",\"value\":\"1\"}\n{\"key\":\"k\",\"value\":\"2\"}\n");
        await SucceedAsync("import", await LinesAsync(1), "--data", Copy);
        Assert.Contains("line 1", (await FailAsync("import", other, "--data", Copy, "--resume")).Error);
        Assert.Equal(1UL, LastApplied(Copy));
    }

    [Fact]
    public async Task AppendedLinesFollowLastEntryAndCanBeResumed()
    {
        var file = await LinesAsync(2);
        var appended = await SucceedAsync("import", file, "--data", Data, "--append");
        Assert.Equal("the first line gets index 7", Assert.Single(appended.ErrorLines));
        Assert.Equal(8UL, LastApplied(Data));
        Assert.StartsWith(
            "imported: 0 entries; 2 were",
            (await SucceedAsync("import", file, "--data", Data, "--resume", "--first-index", "7")).Output);
    }

    [Fact]
    public async Task ImportOfChunksSkipsAppliedEntries()
    {
        var file = _tool.PathOf("export");
        await SucceedAsync("export", "--data", Data, "--out", file, "--format", "chunks");
        await SucceedAsync("import", file, "--data", Copy, "--format", "chunks");
        Assert.StartsWith(
            "imported: 0 entries; 4 were",
            (await SucceedAsync("import", file, "--data", Copy, "--format", "chunks")).Output);
    }

    [Fact]
    public async Task ExpiredLeaseIsNotImported()
    {
        var file = _tool.PathOf("lines");
        await File.WriteAllTextAsync(
            file, "{\"key\":\"a\",\"value\":\"1\",\"expires_ms\":1}\n{\"key\":\"b\",\"value\":\"\"}\n");
        Assert.Contains("1 of them expired", (await SucceedAsync("import", file, "--data", Copy)).Output);
        Assert.Equal("b\t\n", (await SucceedAsync("scan", "--data", Copy)).Output);
        Assert.Equal(2UL, LastApplied(Copy));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("{\"key\":\"a\"}")]
    [InlineData("{\"key\":\"\",\"value\":\"b\"}")]
    [InlineData("{\"key\":\"\\ud800\",\"value\":\"b\"}")]
    [InlineData("{\"key\":\"a\",\"key_base64\":\"YQ==\",\"value\":\"b\"}")]
    [InlineData("{\"key_base64\":\"!\",\"value\":\"b\"}")]
    [InlineData("null")]
    public async Task BadLineIsUsageErrorAndCreatesNoDatabase(string line)
    {
        var file = _tool.PathOf("lines");
        await File.WriteAllTextAsync(file, line + "\n");
        await FailAsync("import", file, "--data", Copy);
        Assert.False(Directory.Exists(Copy));
    }

    [Fact]
    public async Task BadLineAfterGoodOnesNamesItsNumber()
    {
        var file = await LinesAsync(2);
        await File.AppendAllTextAsync(file, "\n{]\n");
        Assert.Contains("line 4", (await FailAsync("import", file, "--data", Copy)).Error);
    }

    [Fact]
    public async Task ExportDoesNotReplaceFile()
    {
        var file = _tool.PathOf("mine");
        await File.WriteAllTextAsync(file, "mine");
        await FailAsync("export", "--data", Data, "--out", file);
        Assert.Equal("mine", await File.ReadAllTextAsync(file));
    }

    private async Task<string> LinesAsync(int count)
    {
        var file = _tool.PathOf($"lines{count}");
        await File.WriteAllLinesAsync(
            file, Enumerable.Range(1, count).Select(i => $"{{\"key\":\"k{i}\",\"value\":\"v{i}\"}}"));
        return file;
    }

    private static string Sorted(string lines) => string.Concat(
        lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Order(StringComparer.Ordinal)
            .Select(line => line + "\n"));

    private static List<string> Expired(string directory, int seconds)
    {
        var later = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddSeconds(seconds));
        using var now = LsmStateMachine.Open(directory, new EngineOptions { ReadOnly = true });
        using var then = LsmStateMachine.Open(directory, new EngineOptions { ReadOnly = true, TimeProvider = later });
        var live = then.ScanPrefix([]).Entries.Select(entry => Convert.ToHexString(entry.Key.Span)).ToHashSet();
        return
        [
            .. now.ScanPrefix([]).Entries.Where(entry => !live.Contains(Convert.ToHexString(entry.Key.Span)))
                .Select(entry => Encoding.UTF8.GetString(entry.Key.Span)),
        ];
    }

    private static ulong LastApplied(string directory)
    {
        using var engine = LsmStateMachine.Open(directory, new EngineOptions { ReadOnly = true });
        return engine.LastApplied.Index;
    }

    private static void Apply(LsmStateMachine engine, params Command[] commands)
    {
        foreach (var command in commands)
            engine.ApplyChunk([new ApplyEntry(engine.LastApplied.Index + 1, 1, command)], new ApplyResult[1]);
    }

    private async Task<ToolResult> FailAsync(params string[] arguments)
    {
        var result = await _tool.RunAsync(arguments);
        Assert.True(result.ExitCode == 1, $"exit code {result.ExitCode}: {result.Error}");
        Assert.Single(result.ErrorLines);
        return result;
    }

    private async Task<ToolResult> SucceedAsync(params string[] arguments)
    {
        var result = await _tool.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, result.Error);
        return result;
    }
}
