using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Cli;

/// <summary>
/// Two processes make a snapshot in one directory: one succeeds, the other reports the conflict, and the result is
/// whole. A real mount point works like any directory.
/// </summary>
public sealed partial class SnapshotTargetTests(ITestOutputHelper output) : IDisposable
{
    private const int Stop = 19;
    private const int Continue = 18;

    private readonly Tool _tool = new();

    private string Parent => _tool.PathOf("snapshots");

    private string Target => Path.Combine(Parent, "target");

    public void Dispose() => _tool.Dispose();

    /// <summary>The first is halted while it gathers its files, until the second has come to its end.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TwoProcessesInOneDirectoryMakeOneSnapshot(bool isThere)
    {
        if (!OperatingSystem.IsLinux()) return;
        Directory.CreateDirectory(isThere ? Target : Parent);
        var (first, second) = (Make("first"), Make("second"));
        var halted = _tool.Start("dotnet", Create(first));
        while (!halted.HasExited && !Directory.EnumerateFileSystemEntries(Parent, ".varve-*").Any()) Thread.Yield();
        _ = Signal(halted.Id, Stop);
        ToolResult rival;
        try
        {
            rival = await _tool.RunAsync("snapshot", "create", "--data", second, "--out", Target);
        }
        finally
        {
            _ = Signal(halted.Id, Continue);
        }

        var own = await Tool.ResultAsync(halted);
        Assert.Equal([0, 3], new[] { own.ExitCode, rival.ExitCode }.Order());
        var (made, refused) = own.ExitCode == 0 ? (own, rival) : (rival, own);
        Assert.Matches("another snapshot|not empty", Assert.Single(refused.ErrorLines));
        Assert.Equal([Target], Directory.GetFileSystemEntries(Parent));
        var manifest = File.ReadAllBytes(Path.Combine(Target, "MANIFEST.varve"));
        Assert.Contains(Convert.ToHexStringLower(SHA256.HashData(manifest)), made.Output);
        Assert.Equal(0, (await _tool.RunAsync("verify", Target)).ExitCode);
    }

    [Fact]
    public async Task MountPointReceivesSnapshotAndNothingBesideIt()
    {
        if (Namespace() is not { } space) return;
        var result = await RunAsync(space, """
            "$@" snapshot create --data first --out snapshots/target && "$@" verify snapshots/target &&
            ls -A snapshots snapshots/target
            """);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.DoesNotContain(".varve-", result.Output);
    }

    [Fact]
    public async Task TwoProcessesInOneMountPointMakeOneSnapshot()
    {
        if (Namespace() is not { } space) return;
        var result = await RunAsync(space, """
            "$@" snapshot create --data first --out snapshots/target & first=$!
            "$@" snapshot create --data second --out snapshots/target; second=$?
            wait $first; echo "ended with $? and $second"
            "$@" verify snapshots/target && ls -A snapshots/target
            """);
        Assert.Equal(0, result.ExitCode);
        Assert.Matches("ended with (0 and 3|3 and 0)\n", result.Output);
        Assert.Matches("another snapshot|not empty", Assert.Single(result.ErrorLines));
        Assert.DoesNotContain(".varve-", result.Output);
    }

    /// <summary>
    /// Two databases and an empty mount point, which the script and its children alone see; "$@" is the tool.
    /// </summary>
    private Task<ToolResult> RunAsync(string[] space, string script)
    {
        Directory.CreateDirectory(Target);
        Make("first");
        Make("second");
        script = "mount -t tmpfs varve snapshots/target || exit 9\n" + script;
        return Tool.ResultAsync(
            _tool.Start("unshare", [.. space, "sh", "-c", script, "sh", "dotnet", .. Tool.Command()]));
    }

    /// <summary>
    /// The command that gives this user a mount namespace; null, with a message, if the system has none.
    /// </summary>
    private string[]? Namespace()
    {
        if (!OperatingSystem.IsLinux()) return null;
        try
        {
            foreach (var space in (string[][])[["-m"], ["-r", "-m"]])
            {
                using var trial = _tool.Start("unshare", [.. space, "mount", "-t", "tmpfs", "varve", _tool.Root]);
                trial.WaitForExit();
                if (trial.ExitCode == 0) return space;
            }

            output.WriteLine("skipped: this user may not mount anything, in a namespace of mounts neither");
        }
        catch (Win32Exception)
        {
            output.WriteLine("skipped: unshare is not installed");
        }

        return null;
    }

    /// <summary>A database with one key, in a table and in the log.</summary>
    private string Make(string name)
    {
        var directory = _tool.PathOf(name);
        using var engine = LsmStateMachine.Open(directory);
        var insert = Command.Insert("key"u8.ToArray(), "value"u8.ToArray());
        engine.ApplyChunk([new ApplyEntry(1, 1, insert)], new ApplyResult[1]);
        engine.CompactAsync().GetAwaiter().GetResult();
        engine.ApplyChunk([new ApplyEntry(2, 1, insert)], new ApplyResult[1]);
        return directory;
    }

    private string[] Create(string data) => Tool.Command("snapshot", "create", "--data", data, "--out", Target);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
