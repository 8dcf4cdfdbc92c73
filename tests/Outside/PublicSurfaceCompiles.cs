using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Varve.Tests.Outside;

/// <summary>
/// The types that programs outside are written against, used the way they use them: by name, in full, without
/// reflection.
/// </summary>
public class PublicSurfaceCompiles
{
    private static readonly ReadOnlyMemory<byte> Key = "key"u8.ToArray();
    private static readonly ReadOnlyMemory<byte> Value = "value"u8.ToArray();

    [Fact]
    public void CommandsExposeTheirArguments()
    {
        var noop = Command.Noop;
        Assert.Equal(CommandKind.Noop, noop.Kind);

        var insert = Command.Insert(key: Key, value: Value, ttlSeconds: 7);
        var kind = insert.Kind;
        var key = insert.Key;
        var value = insert.Value;
        var ttl = insert.TtlSeconds;
        Assert.Equal((CommandKind.Insert, 7UL), (kind, ttl));
        Assert.True(key.Span.SequenceEqual("key"u8) && value.Span.SequenceEqual("value"u8));
        Assert.Equal(0UL, Command.Insert(Key, Value).TtlSeconds);

        var delete = Command.Delete(key: Key);
        Assert.Equal(CommandKind.Delete, delete.Kind);

        var swap = Command.CompareAndSwap(key: Key, expected: null, value: Value);
        var expected = swap.Expected;
        Assert.Equal(CommandKind.CompareAndSwap, swap.Kind);
        Assert.Null(expected);
        // An empty expectation is a value, not absence.
        Assert.NotNull(Command.CompareAndSwap(Key, ReadOnlyMemory<byte>.Empty, Value).Expected);
        Assert.Null(Command.CompareAndSwap(Key, (byte[]?)null, Value, ttlSeconds: 3).Expected);
        Assert.NotNull(Command.CompareAndSwap(key: Key, expected: Value, value: Value, ttlSeconds: 3).Expected);
        Assert.True(insert.TryValidate(out string? problem));
        Assert.Null(problem);
    }

    [Fact]
    public void NumbersOnDiskAreFrozen() => Assert.Equal(
        [0, 1, 2, 3],
        new[] { CommandKind.Noop, CommandKind.Insert, CommandKind.Delete, CommandKind.CompareAndSwap }.Select(
            kind => (byte)kind));

    [Fact]
    public void RecordsCompareAndDeconstruct()
    {
        var id = new LogId(Index: 3, Term: 2);
        (ulong index, ulong term) = id;
        Assert.Equal((3UL, 2UL), (index, term));
        Assert.Equal(id, default(LogId) with { Index = 3, Term = 2 });

        var entry = new ApplyEntry(Index: 1, Term: 1, Command: Command.Noop, TimestampMs: 5);
        Assert.Equal(0UL, new ApplyEntry(1, 1, Command.Noop).TimestampMs);
        Assert.Equal(5UL, entry.TimestampMs);
        Assert.Equal(new ApplyResult(Index: 1, Succeeded: true), new ApplyResult(1, true));
        var status = new ApplyResult(1, false).Status;
        Assert.Equal(ApplyStatus.ExpectationFailed, status);
        Assert.Equal([0, 1, 2], new[] { ApplyStatus.Applied, ApplyStatus.ExpectationFailed, ApplyStatus.Refused }
            .Select(each => (byte)each));

        var metadata = new SnapshotMetadata(LastIncluded: id, Checksum: new byte[32]);
        Assert.Equal(id, metadata.LastIncluded);
        Assert.Equal(32, metadata.Checksum.Length);

        var pair = new KeyValueEntry(Key: Key, Value: Value);
        var scan = new ScanResult(Entries: [pair], Revision: 9);
        var entries = scan.Entries;
        Assert.Equal((1, 9UL), (entries.Count, scan.Revision));
    }

    [Fact]
    public void OptionsHaveTheirDefaults()
    {
        var options = new EngineOptions();
        Assert.Equal(Durability.Process, options.Durability);
        Assert.Equal(64L << 20, options.MemtableBytes);
        Assert.Equal(LeaseClock.Local, options.LeaseClock);
        Assert.Equal(LogGapPolicy.Reject, options.LogGaps);
        Assert.False(options.ReadOnly);
        Assert.Same(TimeProvider.System, options.TimeProvider);
        Assert.Null(options.LoggerFactory);
        Assert.Equal(65_536, options.HistoryEntries);

        ILoggerFactory logs = NullLoggerFactory.Instance;
        options = options with
        {
            Durability = Durability.Interval,
            SyncInterval = TimeSpan.FromMilliseconds(5),
            MemtableBytes = 1 << 20,
            LeaseClock = LeaseClock.Log,
            LogGaps = LogGapPolicy.Allow,
            ReadOnly = true,
            TimeProvider = TimeProvider.System,
            LoggerFactory = logs,
            HistoryEntries = 100,
        };
        options.InvalidCommands = InvalidCommands.Refuse;
        Assert.Equal(TimeSpan.FromMilliseconds(5), options.SyncInterval);
        Assert.NotEqual(Durability.Power, options.Durability);
    }

    [Fact]
    public void ExceptionsCarryTheirData()
    {
        VarveException[] ofFiles =
        [
            new AlreadyOpenException(directory: "d"),
            new CorruptionException(path: "p", offset: 12, kind: "block"),
            new UnsupportedFormatException(path: "p", offset: 8, met: "manifest of version 9"),
            new StorageFullException(path: "p"),
            new TooManyOpenFilesException(path: "p"),
            new TooManyMappingsException(path: "p"),
            new SnapshotRejectedException(path: "p", reason: "older"),
        ];
        Assert.All(ofFiles, failure => Assert.IsAssignableFrom<IOException>(failure));
        Assert.Equal("d", ((AlreadyOpenException)ofFiles[0]).Directory);
        Assert.Equal(("p", 12L), ofFiles[1] is CorruptionException bad ? (bad.Path, bad.Offset) : default);
        Assert.Equal(
            ("p", 8L, "manifest of version 9"),
            ofFiles[2] is UnsupportedFormatException newer ? (newer.Path, newer.Offset, newer.Met) : default);
    }

    /// <summary>A retry policy for I/O does not see what no retry changes.</summary>
    [Fact]
    public void ErrorsOfCallersAndStatesAreNoFailuresOfFiles()
    {
        InvalidOperationException[] all =
        [
            new LogGapException(expected: 4, actual: 6),
            new DuplicateEntryException(index: 2),
            new EngineFaultedException(first: new IOException("first")),
        ];
        Assert.Equal((4UL, 6UL), all[0] is LogGapException gap ? (gap.ExpectedIndex, gap.ActualIndex) : default);
        Assert.Equal(2UL, ((DuplicateEntryException)all[1]).Index);
        Assert.Equal("first", all[2].InnerException!.Message);
    }

    [Fact]
    public async Task InterfaceDefaultsHold()
    {
        await using IStateMachine machine = new MinimalMachine();
        Assert.True(machine.IsEmpty);
        machine.CloseStorage();
        var failure = Assert.Throws<NotSupportedException>(() => machine.ScanPrefix("a"u8));
        Assert.Equal("scan_prefix not supported by this state machine", failure.Message);
        var expired = await machine.LeaseBackgroundCleanupAsync();
        Assert.Empty(expired);
        Assert.False(((IStateMachine)new MinimalMachine { Count = 1 }).IsEmpty);
    }
}
