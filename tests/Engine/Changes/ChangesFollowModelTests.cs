using System.Text;
using FsCheck.Xunit;
using Varve.Background;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Changes;

/// <summary>
/// Random lives of a database: whatever happens to its log, readers from any index, with any prefix, new and old, get
/// the changes of the model or are told that they are lost.
/// </summary>
public sealed class ChangesFollowModelTests
{
    private static readonly string[] Prefixes = ["", "a", "ab", "b", "c"];
    private static readonly string[] Keys = ["a", "a1", "ab", "ab1", "ab2", "b", "b1", "c"];

    [Property(MaxTest = 60)]
    public void KeptHistoryLosesNothing(int seed) => LiveAsync(seed, 1 << 20).GetAwaiter().GetResult();

    [Property(MaxTest = 60)]
    public void WithoutHistoryReadersAreToldOfLoss(int seed) => LiveAsync(seed, 0).GetAwaiter().GetResult();

    private static async Task LiveAsync(int seed, int history)
    {
        await using var life = new Life(seed, history);
        for (var i = 0; i < 120; i++) await life.StepAsync();
        await life.CheckAsync();
    }

    private sealed class Life(int seed, int history) : IAsyncDisposable
    {
        private readonly ManualScheduler _scheduler = new();
        private readonly Database _database = new();
        private readonly Random _random = new(seed);
        private readonly ChangeModel _model = new();
        private readonly List<(FeedReader Reader, ulong From, string Prefix, int Seen)> _readers = [];
        private (ChangeModel Model, SnapshotMetadata Metadata, string Path)? _snapshot;
        private LsmStateMachine? _engine;

        private LsmStateMachine Engine => _engine ??= _database.Open(
            Database.Small with { HistoryEntries = history, LeaseClock = LeaseClock.Log },
            new EngineSeams(Scheduler: _scheduler));

        public async Task StepAsync()
        {
            switch (_random.Next(24))
            {
                case < 11:
                    Apply(_random.Next(1, 5));
                    break;
                case < 13:
                    _model.TimeMs += (ulong)_random.Next(4_000);
                    break;
                case < 15:
                    _model.CleanedUp((await Engine.LeaseBackgroundCleanupAsync())
                        .Select(key => Encoding.UTF8.GetString(key.Span)));
                    break;
                case < 17:
                    await StepwiseAsync(Engine.CompactAsync());
                    break;
                case 17:
                    await ReopenAsync();
                    break;
                case 18:
                    await SnapshotAsync();
                    break;
                case 19:
                    await ReplaceAsync();
                    break;
                case 20:
                    Engine.UpdateLastApplied(new LogId(_model.Index + 3, 1));
                    _model.MovedTo(_model.Index + 3);
                    break;
                case 21:
                    Begin();
                    break;
                case 22:
                    _scheduler.Run();
                    break;
                default:
                    await CheckAsync();
                    break;
            }
        }

        public async Task CheckAsync()
        {
            if (history == 0) _model.LostMost = _model.Index;
            foreach (var i in Enumerable.Range(0, _readers.Count).Reverse()) await FollowAsync(i);
            var prefix = Pick(Prefixes);
            await CompareAsync((ulong)_random.NextInt64((long)_model.Index + 2), prefix);
        }

        public async ValueTask DisposeAsync()
        {
            await EndReadersAsync();
            Engine.Dispose();
            _database.Dispose();
        }

        private T Pick<T>(T[] of) => of[_random.Next(of.Length)];

        private void Apply(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var key = Pick(Keys);
                var bytes = Encoding.UTF8.GetBytes(key);
                var size = _random.Next(12) == 0 ? 20_000 : 3;
                var value = Encoding.UTF8.GetBytes($"{_model.Index}{new string('v', size)}");
                var present = _model.ValueOf(key) is { } held ? Encoding.UTF8.GetBytes(held) : [1];
                var ttl = (ulong)_random.Next(1, 4);
                var command = _random.Next(8) switch
                {
                    0 => Command.Noop,
                    1 => Command.Delete(bytes),
                    2 => Command.CompareAndSwap(bytes, present, value),
                    3 => Command.CompareAndDelete(bytes, present),
                    4 => Command.Renew(bytes, ttl),
                    5 => Command.InsertIfAbsent(bytes, value, ttl),
                    _ => Command.Insert(bytes, value, _random.Next(2) == 0 ? 0 : ttl),
                };
                var results = new ApplyResult[1];
                Engine.ApplyChunk([new ApplyEntry(_model.Index + 1, 1, command, _model.TimeMs)], results);
                _model.Applied(key, command, results[0].Succeeded);
            }
        }

        private async Task StepwiseAsync(Task task)
        {
            while (!task.IsCompleted) _scheduler.Run();
            await task;
        }

        private async Task ReopenAsync()
        {
            await EndReadersAsync();
            Engine.Dispose();
            _engine = null;
            _model.LostMost = _model.Index;
        }

        private async Task SnapshotAsync()
        {
            var path = Path.Combine(_database.Root, $"snapshot-{Guid.NewGuid():N}");
            var last = Engine.LastApplied;
            var made = Engine.GenerateSnapshotDataAsync(path, last);
            await StepwiseAsync(made);
            _snapshot = (_model.Copy(), new SnapshotMetadata(last, await made), path);
        }

        /// <summary>A reset, or an install at the same index, or one after a reset.</summary>
        private async Task ReplaceAsync()
        {
            await CheckAsync(); // a reader that is behind would lose changes
            var isSame = _snapshot is { } kept && kept.Model.Index == _model.Index;
            if (!isSame)
            {
                await EndReadersAsync();
                await StepwiseAsync(Engine.ResetAsync());
                _model.Reset();
                if (_random.Next(2) == 0) Apply(_random.Next(3));
            }

            if (_snapshot is not { } snapshot || snapshot.Model.Index < _model.Index) return;
            await StepwiseAsync(Engine.ApplySnapshotFromFileAsync(snapshot.Metadata, snapshot.Path));
            _model.Install(snapshot.Model);
        }

        private void Begin()
        {
            var (from, prefix) = (_model.Index + 1 + (ulong)_random.Next(3), Pick(Prefixes));
            _readers.Add((new FeedReader(Engine, from, prefix, _scheduler), from, prefix, 0));
        }

        /// <summary>A reader that began earlier gets every change since.</summary>
        private async Task FollowAsync(int at)
        {
            var (reader, from, prefix, seen) = _readers[at];
            var expected = _model.From(from, prefix);
            _scheduler.Run();
            for (; seen < expected.Count; seen++)
            {
                if (history == 0 && await reader.FailureAsync() is ChangesLostException)
                {
                    _readers.RemoveAt(at); // it was too slow
                    await reader.DisposeAsync();
                    return;
                }

                Assert.Equal(FeedReader.Text(expected[seen]), FeedReader.Text(await reader.NextChangeAsync()));
            }

            _readers[at] = (reader, from, prefix, seen);
        }

        /// <summary>A reader that begins now.</summary>
        private async Task CompareAsync(ulong from, string prefix)
        {
            List<Change> given;
            try
            {
                given = await FeedReader.AllAsync(Engine, _scheduler, from, prefix);
            }
            catch (ChangesLostException lost)
            {
                Assert.InRange(lost.OldestIndex, Math.Max(from, 1) + 1, _model.LostMost + 1);
                from = lost.OldestIndex;
                given = await FeedReader.AllAsync(Engine, _scheduler, from, prefix);
            }

            Assert.Equal(FeedReader.Text(_model.From(from, prefix)), FeedReader.Text(given));
        }

        private async Task EndReadersAsync()
        {
            foreach (var (reader, _, _, _) in _readers) await reader.DisposeAsync();
            _readers.Clear();
        }
    }
}
