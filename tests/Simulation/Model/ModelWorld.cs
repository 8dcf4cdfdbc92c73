using System.Buffers;
using System.Text;
using Varve.Format;
using Xunit;

namespace Varve.Tests.Simulation.Model;

/// <summary>
/// Two machines with a clock each and their models, from a number: the universe of keys, the options and every operation follow from it. Now the
/// one is at work, now the other, and a snapshot of the one replaces the other's state. Background
/// work is stepped at moments that follow from it too, so a difference repeats.
/// </summary>
internal sealed class ModelWorld : IDisposable
{
    private readonly Random random;
    private readonly string root;
    private readonly EngineOptions options;
    private readonly ArrayBufferWriter<byte> wire = new();
    private readonly ApplyEntry[] entries = new ApplyEntry[256];
    private readonly bool[] outcomes = new bool[256];
    private readonly ApplyResult[] results = new ApplyResult[256];
    private readonly byte[] buffer = new byte[1 << 14];
    private readonly Queue<(int Dice, ulong Index, ulong NowMs)> trail = [];
    private readonly int chunkMax;
    private ModelMachine machine;
    private ModelMachine other;
    private long operations;
    private int snapshots;

    public ModelWorld(string root, int number)
    {
        this.root = Directory.CreateDirectory(root).FullName;
        random = new Random(number);
        var model = new ModelState(random);
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
            HashSeed = TestHash.Seed,
            Durability = random.Next(20) == 0 ? Durability.Power : Durability.Process,
            ParanoidChecks = random.Next(8) == 0,
            TableAccess = number % 4 == 3 ? TableAccess.Probed : TableAccess.Mapped,
            InvalidCommands = number % 3 == 0 ? InvalidCommands.Throw : InvalidCommands.Refuse,
        };
        // Time goes back by seconds, under the local clock alone: what is forgotten there is not to depend on when compactions come.
        if (options.LeaseClock == LeaseClock.Log && random.Next(3) == 0) options = options with { ExpiredLeaseRetention = TimeSpan.FromSeconds(random.Next(6)) };
        machine = new ModelMachine(Path.Combine(root, "db0"), options, model);
        other = new ModelMachine(Path.Combine(root, "db1"), options with { HashSeed = TestHash.Seed + 1 }, new ModelState(model));
        machine.Advance((ulong)random.Next(20_000));
        other.Advance((ulong)random.Next(20_000));
    }

    private LsmStateMachine Engine => machine.Engine;

    private ModelState Model => machine.Model;

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
        machine.Dispose();
        other.Dispose();
        Directory.Delete(root, recursive: true);
    }

    private void Step()
    {
        var dice = random.Next(2_000);
        if (trail.Count == 30) trail.Dequeue();
        trail.Enqueue((dice, machine.Index, machine.Clock.NowMs));
        switch (dice)
        {
            case < 1_400: Apply(); break;
            case < 1_800: SameGets(); break;
            case < 1_900: SameRange(); break;
            case < 1_950: Assert.Equal(Model.Count, Engine.Count); break;
            case < 1_970: machine.CleanUp(); break;
            case < 1_980: Engine.Flush(); break;
            case < 1_986: Reopen(); break;
            case < 1_990: Compact(); break;
            case < 1_994: MoveToAnotherMachine(); break;
            case 1_994 when random.Next(10) == 0: Reset(); break;
            case < 1_997: (machine, other) = (other, machine); break;
            default: PassTime(); break;
        }

        operations++;
        if (random.Next(4) == 0) machine.Steps.Run();
        if (random.Next(64) == 0) other.Steps.Run();
    }

    private void Apply()
    {
        var overlap = machine.Recent.Count > 0 && random.Next(16) == 0 ? random.Next(1, Math.Min(machine.Recent.Count, 50)) : 0;
        for (var i = 0; i < overlap; i++) (entries[i], outcomes[i]) = machine.Recent[machine.Recent.Count - overlap + i];
        var count = overlap + random.Next(1, chunkMax);
        machine.Recent.Clear();
        for (var i = overlap; i < count; i++)
        {
            var key = random.Next(Model.Keys.Length);
            var command = NextCommand(key);
            if (random.Next(100) == 0) machine.Term++;
            if (options.LeaseClock == LeaseClock.Log && random.Next(8) == 0) machine.Advance((ulong)random.Next(400));
            var stamp = random.Next(5) == 0 ? 0 : machine.Clock.NowMs - (ulong)random.Next(1_000);
            if (options.LeaseClock == LeaseClock.Log) Model.Time = Math.Max(Model.Time, stamp);
            entries[i] = new ApplyEntry(++machine.Index, machine.Term, command, stamp);
            outcomes[i] = !IsRefused(command) && Model.Apply(key, command);
            machine.Recent.Add((entries[i], outcomes[i]));
        }

        machine.SeeApply();
        Send(count);
        for (var i = 0; i < count; i++)
            if (results[i] != new ApplyResult(entries[i].Index, StatusOf(entries[i].Command, outcomes[i]))) Assert.Fail($"entry {entries[i].Index}, {entries[i].Command.Kind}: {results[i]}, the model says {outcomes[i]}");
        Assert.Equal(new LogId(machine.Index, machine.Term), Engine.LastApplied);
        operations += count - 1;
    }

    private static bool IsRefused(in Command command) => command.Kind != CommandKind.Noop && command.Key.Length is 0 or > 65_535;

    private static ApplyStatus StatusOf(in Command command, bool succeeded) =>
        IsRefused(command) ? ApplyStatus.Refused : succeeded ? ApplyStatus.Applied : ApplyStatus.ExpectationFailed;

    private Command NextCommand(int key)
    {
        if (options.InvalidCommands == InvalidCommands.Refuse && random.Next(50) == 0)
            return random.Next(2) == 0 ? Command.Insert(default, Model.RandomValue(random)) : Command.Delete(new byte[65_536]);
        var name = Model.Keys[key];
        switch (random.Next(20))
        {
            case 0: return Command.Noop;
            case < 4: return Command.Delete(name);
            case < 9:
                ReadOnlyMemory<byte>? expected = random.Next(4) switch
                {
                    0 => null,
                    1 => Model.RandomValue(random),
                    _ => Model.IsLive(key) ? Model.ValueOf(key) : default(ReadOnlyMemory<byte>?),
                };
                var value = Model.RandomValue(random);
                if (random.Next(4) > 0) return Command.CompareAndSwap(name, expected, value);
                var ttl = (ulong)random.Next(1, 9);
                return expected is { } bytes ? Command.CompareAndSwap(name, bytes, value, ttl) : Command.CompareAndSwap(name, (byte[]?)null, value, ttl);
            case < 12: return Command.Insert(name, Model.RandomValue(random), (ulong)random.Next(1, 9));
            default: return Command.Insert(name, Model.RandomValue(random));
        }
    }

    private void Send(int count)
    {
        var chunk = entries.AsSpan(0, count);
        if (random.Next(2) == 0)
        {
            Engine.ApplyChunk(chunk, results);
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
                        wire, entry.Index, entry.Term, key, expected is not null, expected.GetValueOrDefault().Span, command.Value.Span, entry.TimestampMs,
                        command.TtlSeconds);
                    break;
                default: ChunkWriter.WriteNoop(wire, entry.Index, entry.Term, entry.TimestampMs); break;
            }
        }

        Assert.Equal(count, Engine.ApplyChunk(wire.WrittenSpan, results));
    }

    private void SameGets()
    {
        for (var i = 0; i < 16; i++)
        {
            var key = random.Next(Model.Keys.Length);
            var length = Engine.Read(Model.Keys[key], buffer);
            var isSame = Model.IsLive(key) ? length >= 0 && Model.ValueOf(key).Span.SequenceEqual(buffer.AsSpan(0, length)) : length < 0;
            if (!isSame) Assert.Fail($"at {machine.Index}, key {Text(Model.Keys[key])}: {length} bytes, live in the model: {Model.IsLive(key)}");
        }

        Assert.Null(Engine.Get(Encoding.ASCII.GetBytes($"/registry/pods/absent/{random.Next()}")));
        operations += 16;
    }

    private void SameRange()
    {
        var from = random.Next(Model.Keys.Length);
        if (random.Next(2) == 0)
        {
            var to = Math.Min(Model.Keys.Length - 1, from + random.Next(300));
            Same(from, to, random.Next(2) == 0, prefix: null);
            return;
        }

        var prefix = Model.Keys[from].AsSpan(0, random.Next(Model.Keys[from].Length + 1)).ToArray();
        from = Model.FirstNotBelow(prefix);
        var end = from;
        while (end < Model.Keys.Length && Model.Keys[end].AsSpan().StartsWith(prefix)) end++;
        Same(from, end, random.Next(2) == 0, prefix);
    }

    private void SameEverything()
    {
        Same(0, Model.Keys.Length, isReversed: false, prefix: []);
        Assert.Equal(Model.Count, Engine.Count);
        Assert.Equal(machine.Index == 0 ? null : machine.Term, Engine.EntryTerm(machine.Index));
    }

    /// <summary>The keys from one place to another, the second excluded, by range or by the prefix that spans them.</summary>
    private void Same(int from, int to, bool isReversed, byte[]? prefix)
    {
        using var view = Engine.OpenView();
        var scan = prefix is null ? view.ScanRange(Model.Keys[from], Model.Keys[to]) : view.ScanPrefix(prefix);
        if (isReversed) scan = scan.Reversed();
        var (at, end, step) = isReversed ? (to - 1, from - 1, -1) : (from, to, 1);
        for (; ; at += step)
        {
            while (at != end && !Model.IsLive(at)) at += step;
            var hasNext = scan.MoveNext();
            if (hasNext != (at != end)) Assert.Fail($"at {machine.Index}: the scan {(hasNext ? $"goes on with {Text(scan.Current.Key)}" : $"ends before {Text(Model.Keys[at])}")}");
            if (!hasNext) break;
            if (!scan.Current.Key.SequenceEqual(Model.Keys[at])) Assert.Fail($"at {machine.Index}: the scan is at {Text(scan.Current.Key)}, the model at {Text(Model.Keys[at])}");
            if (!scan.Current.Value.SequenceEqual(Model.ValueOf(at).Span)) Assert.Fail($"at {machine.Index}: another value of {Text(Model.Keys[at])}");
        }

        Assert.Equal(machine.Index, view.Revision);
    }

    private void PassTime()
    {
        if (random.Next(6) == 0) machine.SetBack((ulong)random.Next(10_000));
        else machine.Advance((ulong)random.Next(3_000));
        if (random.Next(4) == 0) machine.Steps.Tick();
    }

    private void Compact()
    {
        var compaction = Engine.CompactAsync();
        machine.Steps.Run();
        compaction.GetAwaiter().GetResult();
        SameEverything();
    }

    private void Reopen()
    {
        if (random.Next(2) == 0) Engine.Stop();
        machine.Reopen(setBack: random.Next(3) == 0 ? (ulong)random.Next(20_000) : 0);
        Reopened++;
        SameEverything();
    }

    private void MoveToAnotherMachine()
    {
        if (machine.Index == 0) return;
        var snapshot = Path.Combine(root, $"snapshot{snapshots++}");
        other.Install(machine, snapshot);
        Directory.Delete(snapshot, recursive: true);
        SameEverything();
        (machine, other) = (other, machine);
        Installed++;
        SameEverything();
    }

    private void Reset()
    {
        machine.Reset();
        SameEverything();
    }

    private static string Text(ReadOnlySpan<byte> key) => Convert.ToHexString(key);
}
