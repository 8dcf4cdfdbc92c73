using System.Text.Json;
using Xunit;

namespace Varve.Tests.Cli;

/// <summary><c>snapshot list</c> shows every snapshot of a directory, and what it cannot read.</summary>
public sealed class SnapshotListTests : IDisposable
{
    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task SnapshotsAreListedByIndexAndDamageIsReported()
    {
        var (data, backups) = (_tool.PathOf("data"), _tool.PathOf("backups"));
        Directory.CreateDirectory(Path.Combine(backups, "other"));
        await SnapshotAsync("late", 2, "--pack", Path.Combine(backups, "packed.varve"));
        Directory.Move(Path.Combine(backups, "late"), _tool.PathOf("elsewhere"));
        await SnapshotAsync("early", 3);
        var table = await _tool.RunAsync("snapshot", "list", backups);
        Assert.Equal((0, ""), (table.ExitCode, table.Error));
        Assert.Matches(@"packed\.varve[^\n]*2[^\n]*\n[^\n]*early[^\n]*3", table.Output);
        Assert.DoesNotContain("other", table.Output);

        Directory.CreateDirectory(Path.Combine(backups, "damaged"));
        const string manifest = "MANIFEST.varve";
        await File.WriteAllBytesAsync(Path.Combine(backups, "damaged", manifest), new byte[100]);
        var result = await _tool.RunAsync("snapshot", "list", backups, "--json");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("damaged", Assert.Single(result.ErrorLines));
        var lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal([2L, 3L], lines.Select(line => line.GetProperty("index").GetInt64()));
        Assert.Equal(
            new FileInfo(Path.Combine(backups, "packed.varve")).Length, lines[0].GetProperty("bytes").GetInt64());

        async Task SnapshotAsync(string name, ulong index, params string[] more)
        {
            using (var engine = LsmStateMachine.Open(data))
                while (engine.LastApplied.Index < index)
                    engine.ApplyChunk(
                        [new ApplyEntry(engine.LastApplied.Index + 1, 1, Command.Insert("a"u8.ToArray(), default))],
                        new ApplyResult[1]);
            var made = await _tool.RunAsync(
                ["snapshot", "create", "--data", data, "--out", Path.Combine(backups, name), .. more]);
            Assert.True(made.ExitCode == 0, made.Error);
        }
    }

    [Fact]
    public async Task MissingDirectoryIsIoError() =>
        Assert.Equal(3, (await _tool.RunAsync("snapshot", "list", _tool.PathOf("missing"))).ExitCode);
}
