using System.Buffers.Binary;
using Varve.Background;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// A writer, a reader that catches up as fast as it can from two threads, and threads that read through it meanwhile.
/// Every chunk writes its number under all keys, so a view that shows two numbers, or another than its revision's, is
/// of no index.
/// </summary>
public sealed class CatchUpStressTests : IDisposable
{
    private const int Keys = 40;
    private const int Moves = 60;

    private readonly Database _database = new();
    private volatile bool _hasEnded;

    public void Dispose() => _database.Dispose();

    [Fact]
    public async Task ViewsShowOneIndexDuringCatchUp()
    {
        using var writer = _database.Open(Database.Small with { UpperRunsMax = 2 });
        Apply(writer, 1);
        using var reader = _database.Open(Database.Small with { ReadOnly = true });
        var moves = 0;
        Task[] tasks =
        [
            Task.Run(() => Until(() => Apply(writer, writer.LastApplied.Index / Keys + 1))),
            Task.Run(() => Until(CatchUp)),
            Task.Run(() => Until(CatchUp)),
            Task.Run(() => Until(() => Read(reader))),
            Task.Run(() => Until(() => Read(reader))),
        ];
        await Task.WhenAll(tasks);
        reader.TryCatchUp();
        Assert.Equal(writer.LastApplied, reader.LastApplied);
        Assert.Equal(Keys, reader.Count);
        Assert.True(writer.GetStatistics().Flushes > 0);

        void CatchUp()
        {
            if (reader.TryCatchUp() && Interlocked.Increment(ref moves) >= Moves) _hasEnded = true;
        }
    }

    [Fact]
    public async Task CloseRefusesNewCatchUpWhileOneRuns()
    {
        using var writer = _database.Open(Database.Small);
        Apply(writer, 1);
        var storage = new FaultInjector(Storages.Default);
        using var reader = _database.Open(Database.Small with { ReadOnly = true }, new EngineSeams(storage));
        Apply(writer, 2);
        var parked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var release = new ManualResetEventSlim();
        storage.Before = (_, _) =>
        {
            if (parked.TrySetResult()) release.Wait();
        };
        var catchUp = Task.Run(reader.TryCatchUp);
        await parked.Task;
        var close = Task.Run(reader.CloseStorage);
        try
        {
            Assert.True(SpinWait.SpinUntil(() => !reader.IsRunning, TimeSpan.FromSeconds(10)));
            Assert.False(close.IsCompleted);
        }
        finally
        {
            release.Set();
        }

        Assert.True(await catchUp);
        await close;
        Assert.Throws<ObjectDisposedException>(() => reader.TryCatchUp());
    }

    private void Until(Action action)
    {
        try
        {
            while (!_hasEnded) action();
        }
        finally
        {
            _hasEnded = true; // the others need not go on after a failure
        }
    }

    private static void Apply(LsmStateMachine writer, ulong number)
    {
        var chunk = new ApplyEntry[Keys];
        for (ulong i = 0; i < Keys; i++)
        {
            var value = new byte[64];
            BinaryPrimitives.WriteUInt64LittleEndian(value, number);
            chunk[i] = new ApplyEntry(
                ((number - 1) * Keys) + i + 1, 1, Command.Insert(BitConverter.GetBytes(i), value));
        }

        writer.ApplyChunk(chunk, new ApplyResult[Keys]);
    }

    private static void Read(LsmStateMachine reader)
    {
        using var view = reader.OpenView();
        var rows = 0;
        foreach (var entry in view.ScanPrefix([]))
        {
            Assert.Equal(view.Revision / Keys, BinaryPrimitives.ReadUInt64LittleEndian(entry.Value));
            Assert.True(view.TryGet(entry.Key, out var value));
            Assert.True(value.SequenceEqual(entry.Value));
            rows++;
        }

        Assert.Equal(Keys, rows);
        Assert.Equal(Keys, reader.Count);
        Assert.True(
            BinaryPrimitives.ReadUInt64LittleEndian(reader.Get(BitConverter.GetBytes(7UL))) >= view.Revision / Keys);
    }
}
