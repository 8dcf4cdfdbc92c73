using System.Buffers;
using Varve.Format;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Callers;

/// <summary>
/// The caller's memory is read once: bytes that change during a call give either content, never an inconsistent
/// database.
/// </summary>
public sealed class CallersMemoryTests
{
    private const int LongKey = 60_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void KeyChangedDuringApplyCountsAsOneKey(bool isWire)
    {
        using var database = new Database();
        var options = Database.Small with { MemtableBytes = 32 << 20 };
        using (var engine = database.Open(options))
        {
            // A long key is hashed and copied in microseconds, in which the other thread changes it many times.
            var key = new byte[LongKey];
            var buffer = new ArrayBufferWriter<byte>();
            using var flips = new Flipper();
            for (ulong index = 1; index <= 200; index++)
            {
                if (isWire)
                {
                    buffer.ResetWrittenCount();
                    WireWriter.WriteInsert(buffer, index, 1, key, "value"u8);
                    var chunk = buffer.WrittenMemory.ToArray();
                    flips.Change(chunk, chunk.Length - LongKey - 7, LongKey);
                    engine.ApplyChunk(chunk, new ApplyResult[1]);
                }
                else
                {
                    flips.Change(key, 0, LongKey);
                    engine.ApplyChunk(
                        [new ApplyEntry(index, 1, Command.Insert(key, "value"u8.ToArray()))], new ApplyResult[1]);
                }
            }

            AssertSound(engine);
        }

        using var again = database.Open(options);
        AssertSound(again);
    }

    [Fact]
    public void MemoryManagerIsCalledOnceAndOutsideGate()
    {
        using var database = new Database();
        using (var engine = database.Open())
        {
            var asked = 0;
            using var key = new ChangingMemory(
                8,
                () =>
                {
                    asked++;
                    // Takes the gate on another thread.
                    Assert.True(
                        Task.Run(() => engine.DurableLogId).Wait(TimeSpan.FromSeconds(60)),
                        "The gate is held while the user's code runs.");
                });
            using var value = new ChangingMemory(20, () => { });
            for (ulong index = 1; index <= 50; index++)
                engine.ApplyChunk([new ApplyEntry(index, 1, Command.Insert(key.Memory, value.Memory)), new ApplyEntry(
                    ++index, 1, Command.CompareAndSwap(key.Memory, value.Memory, value.Memory))], new ApplyResult[2]);
            Assert.Equal(50, asked);
            AssertSound(engine);
        }

        using var again = database.Open();
        AssertSound(again);
    }

    [Fact]
    public void MemoryManagerMayCallEngine()
    {
        using var database = new Database();
        using var engine = database.Open();
        var depth = 0;
        using var key = new ChangingMemory(
            8,
            () =>
            {
                if (depth++ == 0)
                    engine.ApplyChunk(
                        [new ApplyEntry(1, 1, Command.Insert("inner"u8.ToArray(), default))], new ApplyResult[1]);
            });
        engine.ApplyChunk(
            [new ApplyEntry(2, 1, Command.CompareAndSwap(key.Memory, (byte[]?)null, default))], new ApplyResult[1]);
        Assert.Equal(2, engine.Count); // absence is still what is expected
        AssertSound(engine);
    }

    [Fact]
    public void FailedSwapLeavesLaterEntriesIntact()
    {
        // Bytes behind an omitted operation are moved: keys, padding, deadlines.
        using var database = new Database();
        var random = new Random(7);
        var model = new Dictionary<int, byte[]>();
        using (var engine = database.Open())
        {
            ulong index = 0;
            for (var round = 0; round < 200; round++)
            {
                var chunk = new ApplyEntry[random.Next(2, 12)];
                var expected = new bool[chunk.Length];
                for (var i = 0; i < chunk.Length; i++)
                {
                    var number = random.Next(40);
                    var key = KeyOf(number);
                    var value = new byte[random.Next(30)];
                    random.NextBytes(value);
                    switch (random.Next(4))
                    {
                        case 0:
                            chunk[i] = new ApplyEntry(++index, 1, Command.Delete(key));
                            (expected[i], _) = (true, model.Remove(number));
                            break;
                        case 1:
                            chunk[i] = new ApplyEntry(++index, 1, Command.Insert(key, value, 1_000_000));
                            (expected[i], model[number]) = (true, value);
                            break;
                        default:
                            var isRight = random.Next(2) == 0;
                            var old = model.GetValueOrDefault(number);
                            chunk[i] = new ApplyEntry(++index, 1, Command.CompareAndSwap(
                                key, isRight ? old is null ? null : (ReadOnlyMemory<byte>?)old : new byte[31], value));
                            expected[i] = isRight;
                            if (isRight) model[number] = value;
                            break;
                    }
                }

                var results = new ApplyResult[chunk.Length];
                engine.ApplyChunk(chunk, results);
                Assert.Equal(expected, results.Select(result => result.Succeeded));
            }

            AssertModel(engine);
        }

        using var again = database.Open();
        AssertModel(again);

        void AssertModel(LsmStateMachine engine)
        {
            AssertSound(engine);
            Assert.Equal(model.Count, engine.Count);
            foreach (var (number, value) in model) Assert.Equal(value, engine.Get(KeyOf(number)));
        }

        static byte[] KeyOf(int number) => [.. Enumerable.Repeat((byte)number, 1 + number % 23)];
    }

    [Fact]
    public async Task InstallDoesNotKeepCallersChecksum()
    {
        using var database = new Database();
        using var other = new Database();
        var snapshot = Path.Combine(database.Root, "snapshot");
        byte[] buffer, checksum;
        using (var source = database.Open())
        {
            source.ApplyChunk([new ApplyEntry(1, 1, Command.Insert("a"u8.ToArray(), default))], new ApplyResult[1]);
            checksum = (await source.GenerateSnapshotDataAsync(snapshot, new LogId(1, 1))).ToArray();
            buffer = [.. checksum];
        }

        using var engine = other.Open();
        await engine.ApplySnapshotFromFileAsync(new SnapshotMetadata(new LogId(1, 1), buffer), snapshot);
        buffer.AsSpan().Clear();
        Assert.Equal(checksum, engine.SnapshotMetadata!.Checksum.ToArray());
        engine.UpdateLastSnapshotMetadata(new SnapshotMetadata(new LogId(1, 1), checksum));
        var kept = engine.SnapshotMetadata!.Checksum.ToArray();
        checksum.AsSpan().Clear();
        Assert.Equal(kept, engine.SnapshotMetadata!.Checksum.ToArray());
    }

    /// <summary>Every key that a scan shows is found, once, and the count is theirs.</summary>
    private static void AssertSound(LsmStateMachine engine)
    {
        var entries = engine.ScanPrefix(default).Entries;
        Assert.Equal(engine.Count, entries.Count);
        for (var i = 0; i < entries.Count; i++)
        {
            Assert.Equal(entries[i].Value.ToArray(), engine.Get(entries[i].Key.Span));
            if (i > 0) Assert.True(entries[i - 1].Key.Span.SequenceCompareTo(entries[i].Key.Span) < 0);
        }
    }

    /// <summary>A thread that changes bytes without end.</summary>
    private sealed class Flipper : IDisposable
    {
        private readonly Thread _thread;
        private byte[] _bytes = new byte[1];
        private int _start;
        private int _length = 1;
        private long _rounds;
        private bool _isEnding;

        public Flipper()
        {
            _thread = new Thread(Run) { IsBackground = true };
            _thread.Start();
        }

        /// <summary>From here on it changes these; on return it has begun.</summary>
        public void Change(byte[] newBytes, int newStart, int newLength)
        {
            lock (_thread) (_bytes, _start, _length) = (newBytes, newStart, newLength);
            var seen = Volatile.Read(ref _rounds);
            SpinWait.SpinUntil(() => Volatile.Read(ref _rounds) > seen + 1);
        }

        public void Dispose()
        {
            Volatile.Write(ref _isEnding, true);
            _thread.Join();
        }

        private void Run()
        {
            var random = new Random(1);
            while (!Volatile.Read(ref _isEnding))
            {
                lock (_thread)
                    for (var i = 0; i < 100; i++) _bytes[_start + random.Next(_length)]++;
                Volatile.Write(ref _rounds, _rounds + 1);
            }
        }
    }

    /// <summary>Memory that has other contents each time it is asked for.</summary>
    private sealed class ChangingMemory(int length, Action asked) : MemoryManager<byte>
    {
        private byte _next;

        public override Span<byte> GetSpan()
        {
            asked();
            var bytes = new byte[length];
            bytes.AsSpan().Fill(++_next);
            return bytes;
        }

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin() => throw new NotSupportedException();

        public override Memory<byte> Memory => CreateMemory(length);

        protected override void Dispose(bool disposing)
        {
        }
    }
}
