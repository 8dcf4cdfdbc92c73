using System.Security.Cryptography;
using Varve.Background;
using Varve.Format;
using Varve.Storage;
using Varve.Tests.Crash.Child;
using Varve.Tests.Crash.Children;
using Xunit;

namespace Varve.Tests.Crash.Calls;

/// <summary>The place of a fault in a scenario: the N-th call of a name on a certain file.</summary>
internal sealed record CallPoint(
    Scenario Scenario, Durability Durability, string Call, int Ordinal, string Target, string? Error)
{
    public string Injection => $"{Call}:{(Error is null ? "signal=SIGKILL" : $"error={Error}")}:when={Ordinal}";

    public override string ToString() => $"{Scenario.Name} under {Durability}, {Injection} at {Target}";
}

/// <summary>
/// One child and one fault: the state afterwards is exactly the one before or after, and the engine continues to work.
/// </summary>
internal sealed class CallRun(
    ChildProgram program, string directory, Scenario scenario, Durability durability, ulong seed)
    : IDisposable
{
    public static readonly string[] KilledCalls =
        [
            "openat", "rename", "link", "unlink", "rmdir", "mkdir", "fsync", "fdatasync", "sync_file_range",
            "fallocate", "ftruncate", "pwrite64", "msync", "flock"];

    public static readonly string[] FailedCalls = [.. KilledCalls, "pread64"];

    private const string Write = "write";
    private const int Killed = 137;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Calls whose ENOSPC is an ordinary error: nothing was promised yet, and space may return.</summary>
    private static readonly string[] CallsForSpace = ["openat", "mkdir", "link", "fallocate", "ftruncate", "pwrite64"];

    private readonly AllowedStates _promise = new(seed);
    private readonly List<Message> _heard = [];

    /// <summary>Every call of the scenario that touches its files, when nothing is wrong.</summary>
    public async Task<List<CallPoint>> CountAsync()
    {
        var (code, calls, errors) = await WatchAsync([.. FailedCalls, Write], null);
        if (code != 0 || !Says(MessageKind.WentOn) || Says(MessageKind.Failed))
            throw new ForbiddenStateException($"{scenario.Name} does not work undisturbed: {errors}");
        await VerifyAsync();
        // Each message is a write to standard output: the last that counts says that the act is over.
        var words = _heard.SkipWhile(message => message.Kind != MessageKind.Ready)
            .TakeWhile(message => message.Kind != MessageKind.Acted).Count();
        var end = calls.Index()
            .Where(call => call.Item.Name == Write && call.Item.Line.Contains("write(1<", StringComparison.Ordinal))
            .ElementAt(words - 1).Index;
        var touching = calls.Take(end).Where(call => call.Target(Root).Length > 0).ToList();
        var threads = touching.GroupBy(call => call.Thread).ToList();
        if (threads.Count != 1)
            throw new ForbiddenStateException(
                $"{scenario.Name} is not one thread's work: "
                    + string.Join(
                        " and ", threads.Select(thread => $"{thread.Count()} calls like {thread.Last().Line}")));
        return [.. from numbered in calls.Take(end).Where(call => call.Thread == touching[0].Thread
            && call.Name != Write).GroupBy(call => call.Name).SelectMany(name => name.Index())
                   where touching.Contains(numbered.Item)
                   select new CallPoint(
                       scenario, durability, numbered.Item.Name, numbered.Index + 1, numbered.Item.Target(Root), null)];
    }

    /// <summary>Injects the fault at exactly that call, and checks the result against the promises.</summary>
    public async Task MeetAsync(CallPoint point)
    {
        var (code, calls, errors) = await WatchAsync([point.Call], point.Injection);
        var hit = point.Error is null ? calls.LastOrDefault() : calls.Find(call => call.IsInjected);
        var expected = point.Error is null ? Killed : 0;
        if (code != expected)
            throw new ForbiddenStateException($"{point} at {hit?.Line}: the child ended with {code}: {errors}");
        if (hit is null || hit.Target(Root) != point.Target)
            throw new ForbiddenStateException($"{point} was not met, but {hit?.Line ?? "nothing"}");
        try
        {
            if (point.Error is not null) JudgeError(point);
            await VerifyAsync();
        }
        catch (Exception e)
        {
            throw new ForbiddenStateException(
                $"{point} at {hit.Line}, heard "
                    + $"{string.Join(' ', _heard.TakeLast(9).Select(message => $"{message.Kind}:{message.Value}"))}: "
                    + $"{e}");
        }
    }

    private void JudgeError(CallPoint point)
    {
        // The last sync of a close has no caller to report to; every other failed sync of the log is reported.
        var isLog = point.Call is "fdatasync"
            && point.Target.EndsWith(FileNames.SegmentSuffix, StringComparison.Ordinal);
        if (isLog && scenario.Name != "close" && !Says(MessageKind.Failed))
            throw new ForbiddenStateException("A failed sync of the log was kept quiet");
        // Nothing is acknowledged by a latched instance.
        var latched = _heard.FindIndex(
            message => message is { Kind: MessageKind.Failed, Value: (ulong)FailureKind.Faulted });
        if (latched >= 0 && _heard.FindIndex(latched, message => message.Kind == MessageKind.Applied) >= 0)
            throw new ForbiddenStateException("Something was acknowledged after the engine was latched");
        // An engine that is not latched works; a disk that was full has space again.
        if (latched < 0 && !Says(MessageKind.WentOn))
            throw new ForbiddenStateException("It did not go on, and is not latched");
        if (latched >= 0 && point.Error == "ENOSPC" && CallsForSpace.Contains(point.Call))
            throw new ForbiddenStateException("A full disk latched the engine");
        if (scenario.Name != "snapshot") return;
        var failed = _heard.TakeWhile(message => message.Kind != MessageKind.Acted).Any(
            message => message.Kind == MessageKind.Failed);
        var left = Directory.GetDirectories(Root, Path.GetFileName(directory) + ".snapshot*").Length
            + Directory.GetDirectories(Root, ".varve-*").Length;
        if (left != (failed ? 0 : 1))
            throw new ForbiddenStateException(
                $"The snapshot {(failed ? "failed" : "was made")}, and {left} directories are there");
    }

    /// <summary>
    /// The directory of the database and everything beside it: its own calls count, because names in it have to be
    /// durable.
    /// </summary>
    private string Root => Path.GetDirectoryName(directory)!;

    private string ManifestPath => Path.Combine(directory + ".snapshot", SnapshotNames.Manifest);

    private bool Says(MessageKind kind) => _heard.Exists(message => message.Kind == kind);

    private async Task<(int Code, List<SeenCall> Calls, string Errors)> WatchAsync(
        IEnumerable<string> traced, string? injection)
    {
        using var child = new ChildProcess(
            program,
            CallChild.Arguments(scenario, directory, durability, seed),
            message =>
            {
                _heard.Add(message);
                _promise.Hear(message);
            },
            message => message.Kind == MessageKind.Ready);
        if (!await child.AwaitAsync())
            throw new ForbiddenStateException($"{scenario.Name} could not be prepared: {await child.ErrorsAsync()}");
        using var strace = new Strace(child.Id, directory + ".strace", traced, injection);
        if (!await strace.AttachedAsync()) throw new InvalidOperationException("strace could not attach.");
        child.Resume();
        int code;
        try
        {
            code = await child.EndAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new ForbiddenStateException($"{scenario.Name} under {durability}, {injection}: it hangs");
        }

        return (code, await strace.EndAsync(), await child.ErrorsAsync());
    }

    private async Task VerifyAsync()
    {
        var options = KillChild.Options($"{durability}");
        var model = new SeededModel(seed, options);
        ulong reached;
        using (var engine = LsmStateMachine.Open(directory, options))
        {
            reached = engine.LastApplied.Index;
            _promise.Found(reached);
            await model.VerifyAsync(engine);
        }

        VerifyFiles(options);
        using (var engine = LsmStateMachine.Open(directory, options))
        {
            Assert.Equal(reached, engine.LastApplied.Index);
            await model.VerifyAsync(engine);
            var chunk = SeededLog.ChunkFrom(seed, reached + 1);
            SeededLog.Apply(engine, chunk, new ApplyResult[chunk.Length]);
            await model.VerifyAsync(engine);
        }

        if (scenario.Name == "snapshot" && Directory.Exists(directory + ".snapshot"))
            await VerifySnapshotAsync(model, options);
    }

    /// <summary>An open leaves nothing but what its state names: no staged copies, no staging directories.</summary>
    private void VerifyFiles(EngineOptions options)
    {
        using var engine = LsmStateMachine.Open(
            directory, options, new EngineSeams(Scheduler: new ManualScheduler()));
        Assert.Empty(Directory.GetDirectories(directory));
        Assert.Equal(
            engine.GetStatistics().Runs.Sum(run => run.Tables),
            Directory.GetFiles(directory, "*" + FileNames.TableSuffix).Length);
    }

    /// <summary>A snapshot's directory that has its name is whole.</summary>
    private async Task VerifySnapshotAsync(SeededModel model, EngineOptions options)
    {
        var last = _heard.Last(message => message.Kind == MessageKind.Applied).Value;
        var at = _heard.TakeWhile(message => message.Kind != MessageKind.Ready)
            .Last(message => message.Kind == MessageKind.Applied).Value;
        Assert.True(at <= last);
        var term = SeededLog.ChunkFrom(seed, at)[0].Term;
        using var other = LsmStateMachine.Open(directory + ".other", options);
        var checksum = SHA256.HashData(await File.ReadAllBytesAsync(ManifestPath));
        await other.ApplySnapshotFromFileAsync(
            new SnapshotMetadata(new LogId(at, term), checksum), directory + ".snapshot");
        Assert.Equal(at, other.LastApplied.Index);
        await model.VerifyAsync(other);
    }

    public void Dispose()
    {
        if (Directory.Exists(Root)) Directory.Delete(Root, recursive: true);
    }
}
