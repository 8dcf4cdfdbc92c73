using Varve.Background;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine;

/// <summary>
/// Threads that flush, compact and make snapshots yield to user threads. Threads that callers wait for, such as the
/// syncing one, do not.
/// </summary>
/// <remarks>The engine's threads take after the one that opens it, whichever of the pool that is.</remarks>
[Collection(WholeProcess.Name)]
public class BackgroundTests
{
    private const string ThisThread = "/proc/thread-self/stat";
    private const int NiceMost = 19;

    [Fact]
    public void FlushesAndCompactionsRunAtNice10()
    {
        if (!OperatingSystem.IsLinux()) return;
        using var database = new Database();
        var own = NiceOf(ThisThread)!.Value;
        var older = Threads(); // of engines that other tests left open, perhaps opened by a thread with a low priority
        using var machine = database.Open();
        Waiting.Until(() => NicesOf("Varve tables", older).Contains(Math.Min(own + 10, NiceMost)));
        Waiting.Until(() => NicesOf("Varve sync", older).Count > 0);
        Assert.Equal([own], NicesOf("Varve sync", older));
    }

    [Fact]
    public async Task SnapshotsRunAtNice10()
    {
        if (!OperatingSystem.IsLinux()) return;
        using var database = new Database();
        var storage = new FaultInjector(Storages.Default);
        using var machine = database.Open(Database.Small, new EngineSeams(storage));
        NumberedLog.ApplyUpTo(machine, 100);
        using var seen = new ManualResetEventSlim();
        var older = Threads();
        storage.Before = (_, path) =>
        {
            if (path.Contains("snapshot", StringComparison.Ordinal)) seen.Wait();
        };
        var snapshot = machine.GenerateSnapshotDataAsync(Path.Combine(database.Root, "snapshot"), NumberedLog.Id(100));
        var own = NiceOf("/proc/self/stat")!.Value;
        Waiting.Until(() => NicesOf("Varve snapshot", older).Contains(own + 10));
        seen.Set();
        await snapshot;
    }

    /// <summary>
    /// A thread inherits the nice value of the thread that starts it, and a pool thread is started by the thread that
    /// queues work, hence by the one that completes a task.
    /// </summary>
    [Fact]
    public async Task BackgroundThreadsCompleteNoTask()
    {
        if (!OperatingSystem.IsLinux()) return;
        using var database = new Database();
        var own = NiceOf(ThisThread);
        using var machine = database.Open();
        NumberedLog.ApplyUpTo(machine, 100);
        var scheduler = new NiceRecorder();
        await Task.WhenAll(
            Then(machine.CompactAsync()),
            Then(machine.GenerateSnapshotDataAsync(Path.Combine(database.Root, "snapshot"), NumberedLog.Id(100))));
        Assert.Equal([own, own], scheduler.Nices);

        Task Then(Task task) =>
            task.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, scheduler);
    }

    /// <summary>Records the thread that runs a continuation.</summary>
    private sealed class NiceRecorder : TaskScheduler
    {
        public System.Collections.Concurrent.ConcurrentQueue<int?> Nices { get; } = [];

        protected override void QueueTask(Task task)
        {
            Nices.Enqueue(NiceOf(ThisThread));
            ThreadPool.UnsafeQueueUserWorkItem(_ => TryExecuteTask(task), null);
        }

        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

        protected override IEnumerable<Task> GetScheduledTasks() => [];
    }

    private static HashSet<string> Threads() => [.. Directory.EnumerateDirectories("/proc/self/task")];

    /// <summary>The nice values of the threads with a name, without the older ones.</summary>
    private static List<int> NicesOf(string thread, HashSet<string> older)
    {
        var nices = new List<int>();
        foreach (var task in Threads().Except(older))
        {
            try
            {
                if (File.ReadAllText(Path.Combine(task, "comm")).TrimEnd() == thread
                    && NiceOf(Path.Combine(task, "stat")) is { } nice)
                    nices.Add(nice);
            }
            catch (IOException)
            {
                // The thread has ended.
            }
        }

        return nices;
    }

    /// <summary>The 19th field, counted from behind the name, which may hold anything.</summary>
    private static int? NiceOf(string stat)
    {
        var text = File.ReadAllText(stat);
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return fields.Length > 16 ? int.Parse(fields[16], System.Globalization.CultureInfo.InvariantCulture) : null;
    }
}
