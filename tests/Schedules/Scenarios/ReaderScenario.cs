using System.Buffers.Binary;
using Varve.Background;
using Varve.Tests.Schedules.Control;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Schedules.Scenarios;

internal enum WriterDoes
{
    /// <summary>It fills segments, which are flushed, released and recycled.</summary>
    Rotate,

    /// <summary>It continues in the next segment, resets, and applies from the beginning.</summary>
    Reset,
}

/// <summary>
/// A read-only engine beside a live writer in one directory. During anything that the writer does, the reader opens and
/// catches up; every state that it shows was published by the writer, is whole, is at least as new as the one published
/// when it looked, and never older than the last; a view keeps its state.
/// </summary>
/// <remarks>The engines share files and nothing else, so that threads are switched where one touches a file.</remarks>
internal sealed class ReaderScenario(WriterDoes does, bool isOpenBefore) : Scenario
{
    private const string Directory = "/db";
    private const int ValueBytes = 12 << 10; // four entries fill a segment

    private static readonly byte[][] Keys = ["a"u8.ToArray(), "b"u8.ToArray(), "c"u8.ToArray()];

    private readonly SimFs _disk = new();
    private readonly ManualScheduler _steps = new();
    private readonly List<State> _begun = []; // what may be seen: the last one perhaps
    private int _published = -1;              // the last one that has to be
    private LsmStateMachine _writer = null!;
    private LsmStateMachine? _reader;
    private int _shown;

    /// <summary>A state of the writer.</summary>
    /// <param name="Index">Its last entry.</param>
    /// <param name="Writes">The write, counted from the first, that each key has its value of; 0: the key is not
    /// there.</param>
    private sealed record State(ulong Index, int[] Writes);

    public override void Prepare(Scheduler scheduler)
    {
        scheduler.SwitchesAtFilesOnly = true;
        _writer = Open(isReadOnly: false);
        Apply();
        Compact();
        Apply();

        if (isOpenBefore) OpenReader();
        Threads = [Read, Write];
    }

    public override void Finish(Scheduler scheduler)
    {
        OpenReader();
        Expect(_shown == _begun.Count - 1, "the last state is not the one that is found in the end");
        _reader!.CloseStorage();
        _writer.CloseStorage();
        Expect(_disk.LiveMappings == 0, $"{_disk.LiveMappings} mappings were never let go");
        Expect(_disk.LiveClaims == 0, $"{_disk.LiveClaims} locks and shares were never given back");
    }

    public override void Dispose()
    {
        _disk.Dispose();
        base.Dispose();
    }

    private LsmStateMachine Open(bool isReadOnly) => LsmStateMachine.Open(Directory, new EngineOptions
    {
        ReadOnly = isReadOnly,
        MemtableBytes = 64 << 10,
        MemoryBudgetBytes = 64 << 10, // one memtable is made ahead: what is let go of is used again soon
        IdleAfter = Timeout.InfiniteTimeSpan, // what is let go of is kept
        HistoryEntries = 0,
        LeaseClock = LeaseClock.Log,
        TimeProvider = new StoppedClock(),
    }, new EngineSeams(new SharedDisk(_disk), isReadOnly ? new ManualScheduler() : _steps));

    private void Write()
    {
        Apply();
        if (does == WriterDoes.Reset)
        {
            Apply(); // in the next segment
            Reset();
        }

        for (var round = 0; round < (does == WriterDoes.Reset ? 1 : 3); round++)
        {
            Compact();
            Apply();
        }
    }

    /// <summary>Two entries in one chunk, which are seen together.</summary>
    private void Apply()
    {
        var before = _begun.Count > 0 ? _begun[^1] : new State(0, new int[Keys.Length]);
        var write = _begun.Count + 1;
        var first = Keys[write % Keys.Length];
        var second = Keys[(write + 1) % Keys.Length];
        var writes = (int[])before.Writes.Clone();
        writes[write % Keys.Length] = writes[(write + 1) % Keys.Length] = write;
        _begun.Add(new State(before.Index + 2, writes));
        ApplyEntry[] chunk =
        [
            new ApplyEntry(before.Index + 1, 1, Command.Insert(first, Value(write)), 1),
            new ApplyEntry(before.Index + 2, 1, Command.Insert(second, Value(write)), 1),
        ];
        _writer.ApplyChunk(chunk, new ApplyResult[chunk.Length]);
        _published = _begun.Count - 1;
    }

    private void Reset()
    {
        _begun.Add(new State(0, new int[Keys.Length]));
        _writer.ResetAsync().GetAwaiter().GetResult();
        _published = _begun.Count - 1;
    }

    private void Compact()
    {
        var done = _writer.CompactAsync();
        _steps.Run();
        Expect(done.IsCompletedSuccessfully, "a compaction did not come to its end");
    }

    private void Read()
    {
        if (_reader is null) OpenReader();
        using (var view = _reader!.OpenView())
        {
            var shown = _shown;
            Judge(view, shown, shown);
            var floor = _published;
            var hasMoved = _reader.TryCatchUp();
            Judge(view, shown, shown);
            JudgeEngine(floor, hasMoved);
        }

        _reader.CloseStorage();
    }

    private void OpenReader()
    {
        var floor = _published;
        _reader = Open(isReadOnly: true);
        JudgeEngine(floor, hasMoved: true);
    }

    private void JudgeEngine(int floor, bool hasMoved)
    {
        using var view = _reader!.OpenView();
        var shown = Judge(view, Math.Max(floor, _shown), _begun.Count - 1);
        Expect(hasMoved || shown == _shown, "the reader says that there was nothing new, and shows something else");
        _shown = shown;
        Expect(_reader.LastApplied.Index == view.Revision, "the reader's last entry is not the one that it shows");
        Expect(_reader.Count == _begun[shown].Writes.Count(write => write > 0), $"{_reader.Count} keys are counted");
    }

    /// <summary>Which of the states from one to another a view shows.</summary>
    private int Judge(ReadView view, int from, int to)
    {
        var writes = new int[Keys.Length];
        foreach (var entry in view.ScanPrefix([]))
        {
            var key = entry.Key.Length == 1 ? entry.Key[0] - 'a' : -1;
            Expect(
                key >= 0 && key < Keys.Length && writes[key] == 0,
                "a scan met a key that was never written, or met one twice");
            writes[key] = WriteOf(entry.Value);
        }

        for (var key = 0; key < Keys.Length; key++)
            Expect(
                (view.TryGet(Keys[key], out var value) ? WriteOf(value) : 0) == writes[key],
                "a get and a scan of one view differ");
        for (var state = from; state <= to; state++)
            if (_begun[state].Index == view.Revision && _begun[state].Writes.AsSpan().SequenceEqual(writes))
                return state;
        throw new WrongAnswerException(
            $"index {view.Revision} with the writes {string.Join(' ', writes)} is none of the states {from} to {to}");
    }

    private static byte[] Value(int write)
    {
        var value = new byte[ValueBytes];
        value.AsSpan().Fill((byte)write);
        BinaryPrimitives.WriteInt32LittleEndian(value, write);
        return value;
    }

    private static int WriteOf(ReadOnlySpan<byte> value)
    {
        var write = value.Length == ValueBytes ? BinaryPrimitives.ReadInt32LittleEndian(value) : 0;
        Expect(write > 0 && value[sizeof(int)..].IndexOfAnyExcept((byte)write) < 0, "a value has foreign bytes");
        return write;
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddSeconds(1);
    }
}
