using System.Buffers;
using System.Text;
using Varve.Format;
using Xunit;

namespace Varve.Tests.Simulation.Model;

/// <summary>
/// One engine and its model, from a number: the universe of keys, the options and every operation follow from it. Background
/// work is stepped at moments that follow from it too, so a difference repeats.
/// </summary>
internal sealed class ModelWorld : IDisposable
{
    private readonly Random random;
    private readonly string root;
    private readonly ModelState model;
    private readonly ManualClock clock = new();
    private readonly BackgroundSteps steps = new();
    private readonly EngineOptions options;
    private readonly List<(ApplyEntry Entry, bool Succeeded)> recent = [];
    private readonly ArrayBufferWriter<byte> wire = new();
    private readonly ApplyEntry[] entries = new ApplyEntry[256];
    private readonly bool[] outcomes = new bool[256];
    private readonly ApplyResult[] results = new ApplyResult[256];
    private readonly byte[] buffer = new byte[1 << 14];
    private readonly Queue<(int Dice, ulong Index, ulong NowMs)> trail = [];
    private readonly int chunkMax;
    private LsmStateMachine engine;
    private string directory;
    private ulong index;
    private ulong term = 1;
    private ulong timeOfLastEntry;
    private long operations;
    private int directories;

    public ModelWorld(string root, int number)
    {
        this.root = Directory.CreateDirectory(root).FullName;
        random = new Random(number);
        model = new ModelState(random);
        chunkMax = random.Next(3) == 0 ? 4 : 200;
        options = new EngineOptions
        {
            MemtableBytes = 64L << 10 << random.Next(6),
            TableBytes = 64L << 10 << random.Next(4),
            BlockBytes = 512 << random.Next(6),
            UpperRunsMax = random.Next(2, 7),
            BottomMergeRatio = random.NextDouble() < 0.5 ? 0.4 : 1,
            FilterBitsPerKey = random.Next(4) == 0 ? 0 : 10,
            HistoryEntries = random.Next(2) * 2_000,
            IdleAfter = random.Next(2) == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(30),
            LeaseClock = random.Next(2) == 0 ? LeaseClock.Log : LeaseClock.Local,
            Durability = random.Next(20) == 0 ? Durability.Power : Durability.Process,
            ParanoidChecks = random.Next(8) == 0,
            TableAccess = number % 4 == 3 ? TableAccess.Probed : TableAccess.Mapped,
            TimeProvider = clock,
            Steps = steps,
        };
        directory = NewDirectory();
        engine = LsmStateMachine.Open(directory, options);
        if (options.LeaseClock == LeaseClock.Local) model.Time = clock.NowMs;
    }

    public int Reopened { get; private set; }

    public int Installed { get; private set; }

    public void Run(long wanted, Action<long> report)
    {
        while (operations < wanted)
        {
            var before = operations;
            try
            {
                Step();
            }
            catch (Exception difference)
            {
                throw new InvalidOperationException($"{difference.Message}\n{options}\n{string.Join("\n", trail)}", difference);
            }

            report(operations - before);
        }

        SameEverything();
    }

    public void Dispose()
    {
        engine.Dispose();
        Directory.Delete(root, recursive: true);
    }

    private void Step()
    {
        var dice = random.Next(2_000);
        if (trail.Count == 30) trail.Dequeue();
        trail.Enqueue((dice, index, clock.NowMs));
        switch (dice)
        {
            case < 1_400: Apply(); break;
            case < 1_800: SameGets(); break;
            case < 1_900: SameRange(); break;
            case < 1_950: Assert.Equal(model.Count, engine.Count); break;
            case < 1_970: CleanUp(); break;
            case < 1_980: engine.Flush(); break;
            case < 1_986: Reopen(); break;
            case < 1_990: Compact(); break;
            case < 1_994: MoveToAnotherMachine(); break;
            case 1_994 when random.Next(10) == 0: Reset(); break;
            default: PassTime(); break;
        }

        operations++;
        if (random.Next(4) == 0) steps.Run();
    }

    private void Apply()
    {
        var overlap = recent.Count > 0 && random.Next(16) == 0 ? random.Next(1, Math.Min(recent.Count, 50)) : 0;
        for (var i = 0; i < overlap; i++) (entries[i], outcomes[i]) = recent[recent.Count - overlap + i];
        var count = overlap + random.Next(1, chunkMax);
        recent.Clear();
        for (var i = overlap; i < count; i++)
        {
            var key = random.Next(model.Keys.Length);
            var command = NextCommand(key);
            if (random.Next(100) == 0) term++;
            if (options.LeaseClock == LeaseClock.Log && random.Next(8) == 0) clock.NowMs += (ulong)random.Next(400);
            var stamp = random.Next(5) == 0 ? 0 : clock.NowMs - (ulong)random.Next(1_000);
            if (options.LeaseClock == LeaseClock.Log) model.Time = Math.Max(model.Time, stamp);
            entries[i] = new ApplyEntry(++index, term, command, stamp);
            outcomes[i] = model.Apply(key, command);
            recent.Add((entries[i], outcomes[i]));
        }

        timeOfLastEntry = model.Time;
        Send(count);
        for (var i = 0; i < count; i++)
            if (results[i] != new ApplyResult(entries[i].Index, outcomes[i])) Assert.Fail($"entry {entries[i].Index}, {entries[i].Command.Kind}: {results[i]}, the model says {outcomes[i]}");
        Assert.Equal(new LogId(index, term), engine.LastApplied);
        operations += count - 1;
    }

    private Command NextCommand(int key)
    {
        var name = model.Keys[key];
        switch (random.Next(20))
        {
            case 0: return Command.Noop;
            case < 4: return Command.Delete(name);
            case < 9:
                ReadOnlyMemory<byte>? expected = random.Next(4) switch
                {
                    0 => null,
                    1 => model.RandomValue(random),
                    _ => model.IsLive(key) ? model.ValueOf(key) : null,
                };
                return Command.CompareAndSwap(name, expected, model.RandomValue(random));
            case < 12: return Command.Insert(name, model.RandomValue(random), (ulong)random.Next(1, 9));
            default: return Command.Insert(name, model.RandomValue(random));
        }
    }

    private void Send(int count)
    {
        var chunk = entries.AsSpan(0, count);
        if (random.Next(2) == 0)
        {
            engine.ApplyChunk(chunk, results);
            return;
        }

        wire.ResetWrittenCount();
        foreach (ref readonly var entry in chunk)
        {
            var command = entry.Command;
            var key = command.Key.Span;
            switch (command.Kind)
            {
                case CommandKind.Insert: ChunkWriter.WriteInsert(wire, entry.Index, entry.Term, key, command.Value.Span, command.TtlSeconds, entry.TimestampMs); break;
                case CommandKind.Delete: ChunkWriter.WriteDelete(wire, entry.Index, entry.Term, key, entry.TimestampMs); break;
                case CommandKind.CompareAndSwap:
                    var expected = command.Expected;
                    ChunkWriter.WriteCompareAndSwap(
                        wire, entry.Index, entry.Term, key, expected is not null, expected.GetValueOrDefault().Span, command.Value.Span, entry.TimestampMs);
                    break;
                default: ChunkWriter.WriteNoop(wire, entry.Index, entry.Term, entry.TimestampMs); break;
            }
        }

        Assert.Equal(count, engine.ApplyChunk(wire.WrittenSpan, results));
    }

    private void SameGets()
    {
        for (var i = 0; i < 16; i++)
        {
            var key = random.Next(model.Keys.Length);
            var length = engine.Read(model.Keys[key], buffer);
            var isSame = model.IsLive(key) ? length >= 0 && model.ValueOf(key).Span.SequenceEqual(buffer.AsSpan(0, length)) : length < 0;
            if (!isSame) Assert.Fail($"at {index}, key {Text(model.Keys[key])}: {length} bytes, live in the model: {model.IsLive(key)}");
        }

        Assert.Null(engine.Get(Encoding.ASCII.GetBytes($"/registry/pods/absent/{random.Next()}")));
        operations += 16;
    }

    private void SameRange()
    {
        var from = random.Next(model.Keys.Length);
        if (random.Next(2) == 0)
        {
            var to = Math.Min(model.Keys.Length - 1, from + random.Next(300));
            Same(from, to, random.Next(2) == 0, prefix: null);
            return;
        }

        var prefix = model.Keys[from].AsSpan(0, random.Next(model.Keys[from].Length + 1)).ToArray();
        from = model.FirstNotBelow(prefix);
        var end = from;
        while (end < model.Keys.Length && model.Keys[end].AsSpan().StartsWith(prefix)) end++;
        Same(from, end, random.Next(2) == 0, prefix);
    }

    private void SameEverything()
    {
        Same(0, model.Keys.Length, isReversed: false, prefix: []);
        Assert.Equal(model.Count, engine.Count);
        Assert.Equal(index == 0 ? null : term, engine.EntryTerm(index));
    }

    /// <summary>The keys from one place to another, the second excluded, by range or by the prefix that spans them.</summary>
    private void Same(int from, int to, bool isReversed, byte[]? prefix)
    {
        using var view = engine.OpenView();
        var scan = prefix is null ? view.ScanRange(model.Keys[from], model.Keys[to]) : view.ScanPrefix(prefix);
        if (isReversed) scan = scan.Reversed();
        var (at, end, step) = isReversed ? (to - 1, from - 1, -1) : (from, to, 1);
        for (; ; at += step)
        {
            while (at != end && !model.IsLive(at)) at += step;
            var hasNext = scan.MoveNext();
            if (hasNext != (at != end)) Assert.Fail($"at {index}: the scan {(hasNext ? $"goes on with {Text(scan.Current.Key)}" : $"ends before {Text(model.Keys[at])}")}");
            if (!hasNext) break;
            if (!scan.Current.Key.SequenceEqual(model.Keys[at])) Assert.Fail($"at {index}: the scan is at {Text(scan.Current.Key)}, the model at {Text(model.Keys[at])}");
            if (!scan.Current.Value.SequenceEqual(model.ValueOf(at).Span)) Assert.Fail($"at {index}: another value of {Text(model.Keys[at])}");
        }

        Assert.Equal(index, view.Revision);
    }

    private void PassTime()
    {
        clock.NowMs += (ulong)random.Next(3_000);
        if (options.LeaseClock == LeaseClock.Local) model.Time = clock.NowMs;
        if (random.Next(4) == 0) steps.Tick();
    }

    /// <summary>Everything reported had expired, once; compactions may have let go of some without a word.</summary>
    private void CleanUp()
    {
        foreach (var key in engine.LeaseBackgroundCleanupAsync().GetAwaiter().GetResult())
            Assert.True(model.TryReport(key.Span), $"at {index}: {Text(key.Span)} was reported, and had not expired");
    }

    private void Compact()
    {
        var compaction = engine.CompactAsync();
        steps.Run();
        compaction.GetAwaiter().GetResult();
        SameEverything();
    }

    private void Reopen()
    {
        if (random.Next(2) == 0) engine.Stop();
        engine.Dispose();
        engine = LsmStateMachine.Open(directory, options);
        Reopened++;
        SameEverything();
    }

    private void MoveToAnotherMachine()
    {
        if (index == 0) return;
        var snapshot = Path.Combine(root, $"snapshot{directories}");
        var metadata = new SnapshotMetadata(new LogId(index, term), engine.GenerateSnapshotDataAsync(snapshot, new LogId(index, term)).GetAwaiter().GetResult());
        engine.Dispose();
        Directory.Delete(directory, recursive: true);
        directory = NewDirectory();
        engine = LsmStateMachine.Open(directory, options);
        engine.ApplySnapshotFromFileAsync(metadata, snapshot).GetAwaiter().GetResult();
        Directory.Delete(snapshot, recursive: true);
        model.ForgetReports(after: timeOfLastEntry);
        Installed++;
        recent.Clear();
        SameEverything();
    }

    private void Reset()
    {
        engine.ResetAsync().GetAwaiter().GetResult();
        model.Clear();
        if (options.LeaseClock == LeaseClock.Local) model.Time = clock.NowMs;
        (index, term) = (0, 1);
        recent.Clear();
        SameEverything();
    }

    private string NewDirectory() => Path.Combine(root, $"db{directories++}");

    private static string Text(ReadOnlySpan<byte> key) => Convert.ToHexString(key);
}
