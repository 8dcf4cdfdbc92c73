using Varve.Background;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// A scripted life of a database, in which the k-th storage call fails, or the process dies before it, for every k.
/// Only documented exceptions are thrown, and a new open finds the state of one index that the script allows.
/// </summary>
public sealed class EveryStorageCallTests
{
    private const ulong SnapshotIndex = 420;
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task ErrorAtKthCallLeavesStateOfOneIndex(bool full) =>
        FailAtEachCall(() => Storages.Default, full, sparsity: 1);

    [Fact]
    public Task ErrorAtKthCallLeavesStateOfOneIndexIfFilesInUseCannotBeDeleted() =>
        FailAtEachCall(() => new NtfsLikeStorage(new PortableStorage()), full: false, sparsity: 13);

    private static async Task FailAtEachCall(Func<IStorage> makeDisk, bool full, int sparsity)
    {
        for (var k = 0; ; k += sparsity * (k < 120 ? 1 : 3))
        {
            var disk = makeDisk();
            using var database = new Database(disk);
            var script = new Script(database);
            var calls = -1;
            var injected = false;
            var storage = new FaultInjector(disk)
            {
                Before = (operation, path) =>
                {
                    if (IsOneOfMany(operation, path) || Interlocked.Increment(ref calls) != k) return;
                    injected = true;
                    if (full && operation is ("allocate" or "write" or "create")) throw new StorageFullException(path);
                    throw new IOException($"injected at call {k}: {operation} {path}");
                },
            };
            await script.Run(storage);
            using (var machine = database.Open())
            {
                var index = NumberedLog.AssertIsWhole(machine);
                Assert.True(
                    script.Allowed.Contains(index),
                    $"call {k}: recovered {index}, allowed {string.Join(", ", script.Allowed)}");
            }

            if (!injected) return;
        }
    }

    [Theory]
    [InlineData(Durability.Process)]
    [InlineData(Durability.Power)]
    public async Task DeathBeforeKthCallLeavesStateOfOneIndex(Durability durability)
    {
        using var database = new Database();
        var script = new Script(database) { Durability = durability };
        var failures = new List<string>();
        var deaths = 0;
        FaultInjector? storage = null;
        storage = new FaultInjector(Storages.Default)
        {
            Before = (operation, path) =>
            {
                if (IsOneOfMany(operation, path) || operation is "read" or "list" or "map" or "open" or "lock"
                    || !Directory.Exists(database.Directory))
                    return;
                lock (failures)
                {
                    var before = script.Allowed;
                    using var copy = storage!.WhileStill(database.Copy);
                    var after = script.Allowed;
                    deaths++;
                    try
                    {
                        using var machine = copy.Open();
                        var index = NumberedLog.AssertIsWhole(machine);
                        // The script's thread may have applied several chunks while the copy was made: any of their
                        // ends will do.
                        var isBetween = index % 20 == 0 && index >= before.Min() && index <= after.Max();
                        if (!isBetween && !before.Concat(after).Contains(index))
                            failures.Add(
                                $"before {operation} {path}: recovered {index}, allowed {string.Join(", ", before)}");
                    }
#pragma warning disable CA1031 // Whatever a recovery throws is a finding.
                    catch (Exception e)
#pragma warning restore CA1031
                    {
                        failures.Add($"before {operation} {path}: {e}");
                    }
                }
            },
        };
        await script.Run(storage);
        Assert.True(failures.Count == 0, string.Join('\n', failures));
        Assert.Null(script.Fault);
        Assert.InRange(deaths, 100, int.MaxValue);
    }

    /// <summary>The zeros of a new segment: one call represents all of them.</summary>
    private static bool IsOneOfMany(string operation, string path) => operation == "write"
        && path.EndsWith(FileNames.SegmentSuffix + FileNames.TemporarySuffix, StringComparison.Ordinal);

    private sealed class Script(Database database)
    {
        private LsmStateMachine? _machine;
        private SnapshotMetadata? _snapshot;

        public Durability Durability { get; init; }

        /// <summary>The indexes that the state may have if the process died now.</summary>
        public ulong[] Allowed { get; private set; } = [0];

        public string? Fault { get; private set; }

        public async Task Run(FaultInjector storage)
        {
            try
            {
                _machine = database.Open(
                    Database.Small with { Durability = Durability, UpperRunsMax = 2 }, new EngineSeams(storage));
            }
            catch (IOException)
            {
                return;
            }

            try
            {
                Apply(SnapshotIndex);
                _snapshot = new SnapshotMetadata(NumberedLog.Id(SnapshotIndex), default);
                await Try(async () =>
                {
                    if (_machine.LastApplied.Index != SnapshotIndex) return;
                    _snapshot = _snapshot with
                    {
                        Checksum = await _machine.GenerateSnapshotDataAsync(
                            Path.Combine(database.Root, "snapshot"), _machine.LastApplied).WaitAsync(Hang)
                    };
                });
                Apply(900);
                await Try(() => _machine.CompactAsync().WaitAsync(Hang));
                Apply(950);
                await Try(_machine.Flush);
                await Try(() => _machine.CompactAsync().WaitAsync(Hang));
                Allowed = [_machine.LastApplied.Index, .. Allowed, 0];
                if (await Try(() => _machine.ResetAsync().WaitAsync(Hang))) Allowed = [0];
                Apply(_machine.LastApplied.Index + 60);
                if (_snapshot.Checksum.Length > 0 && _machine.LastApplied.Index < SnapshotIndex)
                {
                    Allowed = [.. Allowed, SnapshotIndex];
                    if (await Try(() => _machine.ApplySnapshotFromFileAsync(
                        _snapshot, Path.Combine(database.Root, "snapshot")).WaitAsync(Hang)))
                        Allowed = [SnapshotIndex];
                }

                Apply(_machine.LastApplied.Index + 80);
            }
            finally
            {
                Fault = _machine.GetStatistics().Fault;
                _machine.CloseStorage();
            }
        }

        private void Apply(ulong last)
        {
            var results = new ApplyResult[20];
            for (var tries = 0; _machine!.LastApplied.Index < last && tries < 200; tries++)
            {
                var before = _machine.LastApplied.Index;
                var count = (int)Math.Min(20, last - before);
                Allowed = [.. Allowed, before + (ulong)count];
                try
                {
                    _machine.ApplyChunk(NumberedLog.Chunk(before + 1, count), results);
                    Allowed = [before + (ulong)count];
                }
                catch (StorageFullException)
                {
                    Assert.Equal(before, _machine.LastApplied.Index);
                }
                catch (EngineFaultedException)
                {
                    return;
                }
            }
        }

        private static Task<bool> Try(Action action) => Try(() =>
        {
            action();
            return Task.CompletedTask;
        });

        private static async Task<bool> Try(Func<Task> action)
        {
            try
            {
                await action();
                return true;
            }
            catch (Exception e) when (e is IOException or EngineFaultedException)
            {
                return false;
            }
        }
    }
}
