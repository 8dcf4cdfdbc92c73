using System.Security.Cryptography;
using Varve.Format;
using Varve.Tests.Crash.Child;
using Varve.Tests.Crash.Children;
using Xunit;

namespace Varve.Tests.Crash.Calls;

/// <summary>Where a fault meets a scenario: at the N-th call of a name.</summary>
internal sealed record CallPoint(Scenario Scenario, Durability Durability, string Call, int Ordinal, string? Error)
{
    public string Injection => $"{Call}:{(Error is null ? "signal=SIGKILL" : $"error={Error}")}:when={Ordinal}";

    public override string ToString() => $"{Scenario.Name} under {Durability}, {Injection}";
}

/// <summary>How a run ended.</summary>
internal enum CallEnd
{
    Met,

    /// <summary>The calls were fewer this time: threads take turns as they like.</summary>
    Missed,

    /// <summary>The call was the runtime's own.</summary>
    Foreign,
}

/// <summary>One child, one fault, and the look at what is left: the state before or after, exactly, and an engine that goes on.</summary>
internal sealed class CallRun(ChildProgram program, string directory, Scenario scenario, Durability durability, ulong seed) : IDisposable
{
    public static readonly string[] KilledCalls =
        ["openat", "rename", "link", "unlink", "rmdir", "mkdir", "fsync", "fdatasync", "fallocate", "ftruncate", "pwrite64", "msync", "flock"];

    public static readonly string[] FailedCalls = [.. KilledCalls, "pread64"];

    private readonly Promise promise = new(seed);
    private readonly List<Message> heard = [];

    /// <summary>The calls of the scenario when nothing is wrong.</summary>
    public async Task<List<SeenCall>> CountAsync()
    {
        var (code, calls, errors) = await WatchAsync(null);
        if (code != 0 || !Says(MessageKind.Done) || Says(MessageKind.Failed)) throw new BrokenPromise($"{scenario.Name} does not work undisturbed: {errors}");
        await VerifyAsync();
        return calls;
    }

    public async Task<CallEnd> MeetAsync(CallPoint point)
    {
        var (code, calls, errors) = await WatchAsync(point.Injection);
        var hit = point.Error is null ? code == 137 ? calls.LastOrDefault(call => call.Name == point.Call) : null : calls.Find(call => call.IsInjected);
        if (hit is null && code == 0) return CallEnd.Missed;
        if (hit is not null && point.Error is not null && !hit.Line.Contains(directory, StringComparison.Ordinal)) return CallEnd.Foreign;
        var expected = point.Error is null ? 137 : 0;
        if (code != expected) throw new BrokenPromise($"{point} at {hit?.Line}: the child ended with {code}: {errors}");
        try
        {
            if (point.Error is not null) JudgeError(hit!);
            await VerifyAsync();
        }
        catch (Exception e)
        {
            throw new BrokenPromise($"{point} at {hit?.Line}, heard {string.Join(' ', heard.TakeLast(6).Select(message => $"{message.Kind}:{message.Value}"))}: {e}");
        }

        return CallEnd.Met;
    }

    private void JudgeError(SeenCall hit)
    {
        // The last sync of a close has nobody to tell; everywhere else a failed sync of the log is heard of.
        var isLog = hit.Name is "fdatasync" && hit.Line.Contains(".wal>", StringComparison.Ordinal);
        if (isLog && scenario.Name != "close" && !Says(MessageKind.Failed)) throw new BrokenPromise("A failed sync of the log was kept quiet");
        // Nothing is acknowledged by a latched instance.
        var latched = heard.FindIndex(message => message is { Kind: MessageKind.Failed, Value: (ulong)FailureKind.Faulted });
        if (latched >= 0 && heard.FindIndex(latched, message => message.Kind == MessageKind.Applied) >= 0)
            throw new BrokenPromise("Something was acknowledged after the engine was latched");
        if (scenario.Name == "snapshot" && Says(MessageKind.Failed) && heard.FindIndex(message => message.Kind == MessageKind.Failed) is var failed
            && heard[failed].Value == (ulong)FailureKind.Full && Directory.Exists(directory + ".snapshot") && !File.Exists(ManifestPath))
        {
            throw new BrokenPromise("A snapshot that failed left something behind");
        }
    }

    private string ManifestPath => Path.Combine(directory + ".snapshot", SnapshotNames.Manifest);

    private bool Says(MessageKind kind) => heard.Exists(message => message.Kind == kind);

    private async Task<(int Code, List<SeenCall> Calls, string Errors)> WatchAsync(string? injection)
    {
        using var child = new ChildProcess(
            program,
            CallChild.Arguments(scenario, directory, durability, seed),
            message =>
            {
                heard.Add(message);
                promise.Hear(message);
            },
            message => message.Kind == MessageKind.Ready);
        if (!await child.AwaitAsync()) throw new BrokenPromise($"{scenario.Name} could not be prepared: {await child.ErrorsAsync()}");
        using var strace = new Strace(child.Id, directory + ".strace", injection is null ? KilledCalls.Union(FailedCalls) : [injection.Split(':')[0]], injection);
        if (!await strace.AttachedAsync()) throw new InvalidOperationException("strace could not attach.");
        child.GoOn();
        var code = await child.EndAsync();
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
            promise.Found(reached);
            await model.VerifyAsync(engine);
        }

        using (var engine = LsmStateMachine.Open(directory, options))
        {
            Assert.Equal(reached, engine.LastApplied.Index);
            await model.VerifyAsync(engine);
            var chunk = SeededLog.ChunkFrom(seed, reached + 1);
            engine.ApplyChunk(chunk, new ApplyResult[chunk.Length]);
            await model.VerifyAsync(engine);
        }

        if (scenario.Name == "snapshot" && Directory.Exists(directory + ".snapshot")) await VerifySnapshotAsync(model, options);
    }

    /// <summary>A snapshot's directory that has its name is whole.</summary>
    private async Task VerifySnapshotAsync(SeededModel model, EngineOptions options)
    {
        var last = heard.Last(message => message.Kind == MessageKind.Applied).Value;
        var at = heard.TakeWhile(message => message.Kind != MessageKind.Ready).Last(message => message.Kind == MessageKind.Applied).Value;
        Assert.True(at <= last);
        var term = SeededLog.ChunkFrom(seed, at)[0].Term;
        using var other = LsmStateMachine.Open(directory + ".other", options);
        var checksum = SHA256.HashData(await File.ReadAllBytesAsync(ManifestPath));
        await other.ApplySnapshotFromFileAsync(new SnapshotMetadata(new LogId(at, term), checksum), directory + ".snapshot");
        Assert.Equal(at, other.LastApplied.Index);
        await model.VerifyAsync(other);
    }

    public void Dispose()
    {
        foreach (var path in Directory.GetDirectories(Path.GetDirectoryName(directory)!, Path.GetFileName(directory) + "*")) Directory.Delete(path, recursive: true);
        foreach (var path in Directory.GetFiles(Path.GetDirectoryName(directory)!, Path.GetFileName(directory) + ".*")) File.Delete(path);
    }
}
