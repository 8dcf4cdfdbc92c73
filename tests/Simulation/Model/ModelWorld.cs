using System.Buffers;
using System.Text;
using Varve.Format;
using Xunit;

namespace Varve.Tests.Simulation.Model;

/// <summary>
/// Two machines with a clock each and their models, from a number: the universe of keys, the options and every
/// operation follow from it. Now the one is at work, now the other, and a snapshot of the one replaces the other's
/// state. Background work is stepped at moments that follow from it too, so a difference repeats.
/// </summary>
internal sealed class ModelWorld : IDisposable
{
    private readonly Random _random;
    private readonly string _root;
    private readonly EngineOptions _options;
    private readonly ArrayBufferWriter<byte> _wire = new();
    private readonly ApplyEntry[] _entries = new ApplyEntry[256];
    private readonly bool[] _outcomes = new bool[256];
    private readonly ApplyResult[] _results = new ApplyResult[256];
    private readonly byte[] _buffer = new byte[1 << 14];
    private readonly Queue<(int Dice, ulong Index, ulong NowMs)> _trail = [];
    private readonly int _chunkMax;
    private ModelMachine _machine;
    private ModelMachine _other;
    private long _operations;
    private int _snapshots;

    public ModelWorld(string root, int number)
    {
        _root = Directory.CreateDirectory(root).FullName;
        _random = new Random(number);
        var model = new ModelState(_random);
        _chunkMax = _random.Next(3) == 0 ? 4 : 200;
        _options = new EngineOptions
        {
            MemtableBytes = 64L << 10 << _random.Next(6),
            TableBytes = 64L << 10 << _random.Next(4),
            BlockBytes = 512 << _random.Next(6),
            UpperRunsMax = _random.Next(2, 7),
            BottomMergeRatio = _random.NextDouble() < 0.5 ? 0.4 : 1,
            FilterBitsPerKey = _random.Next(4) == 0 ? 0 : 10,
            HistoryEntries = _random.Next(2) * 2_000,
            IdleAfter = _random.Next(2) == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(30),
            LeaseClock = _random.Next(2) == 0 ? LeaseClock.Log : LeaseClock.Local,
            HashSeed = TestHash.Seed,
            Durability = _random.Next(20) == 0 ? Durability.Power : Durability.Process,
            ParanoidChecks = _random.Next(8) == 0,
            TableAccess = number % 4 == 3 ? TableAccess.Probed : TableAccess.Mapped,
            InvalidCommands = number % 3 == 0 ? InvalidCommands.Throw : InvalidCommands.Refuse,
        };
        // Time goes back by seconds, under the local clock alone: what is forgotten there is not to depend on when
        // compactions come.
        if (_options.LeaseClock == LeaseClock.Log && _random.Next(3) == 0)
            _options = _options with { ExpiredLeaseRetention = TimeSpan.FromSeconds(_random.Next(6)) };
        _machine = new ModelMachine(Path.Combine(root, "db0"), _options, model);
        _other = new ModelMachine(
            Path.Combine(root, "db1"), _options with { HashSeed = TestHash.Seed + 1 }, new ModelState(model));
        _machine.Advance((ulong)_random.Next(20_000));
        _other.Advance((ulong)_random.Next(20_000));
    }

    private LsmStateMachine Engine => _machine.Engine;

    private ModelState Model => _machine.Model;

    public int Reopened { get; private set; }

    public int Installed { get; private set; }

    public void Run(long wanted, Action<long> report)
    {
        while (_operations < wanted)
        {
            var before = _operations;
            try
            {
                Step();
            }
            catch (Exception difference)
            {
                throw new InvalidOperationException(
                    $"{difference.Message}\n{_options}\n{string.Join("\n", _trail)}", difference);
            }

            report(_operations - before);
        }

        SameEverything();
    }

    public void Dispose()
    {
        _machine.Dispose();
        _other.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    private void Step()
    {
        var dice = _random.Next(2_000);
        if (_trail.Count == 30) _trail.Dequeue();
        _trail.Enqueue((dice, _machine.Index, _machine.Clock.NowMs));
        switch (dice)
        {
            case < 1_400: Apply(); break;
            case < 1_800: SameGets(); break;
            case < 1_900: SameRange(); break;
            case < 1_950: Assert.Equal(Model.Count, Engine.Count); break;
            case < 1_970: _machine.CleanUp(); break;
            case < 1_980: Engine.Flush(); break;
            case < 1_982: MoveMark(); break;
            case < 1_987: Reopen(); break;
            case < 1_990: Compact(); break;
            case < 1_994: MoveToAnotherMachine(); break;
            case 1_994 when _random.Next(10) == 0: Reset(); break;
            case < 1_997: (_machine, _other) = (_other, _machine); break;
            default: PassTime(); break;
        }

        _operations++;
        if (_random.Next(4) == 0) _machine.Steps.Run();
        if (_random.Next(64) == 0) _other.Steps.Run();
    }

    private void Apply()
    {
        var overlap = _machine.Recent.Count > 0 && _random.Next(16) == 0
            ? _random.Next(1, Math.Min(_machine.Recent.Count, 50))
            : 0;
        for (var i = 0; i < overlap; i++)
            (_entries[i], _outcomes[i]) = _machine.Recent[_machine.Recent.Count - overlap + i];
        var count = overlap + _random.Next(1, _chunkMax);
        _machine.Recent.Clear();
        for (var i = overlap; i < count; i++)
        {
            var key = _random.Next(Model.Keys.Length);
            var command = NextCommand(key);
            if (_random.Next(100) == 0) _machine.Term++;
            if (_options.LeaseClock == LeaseClock.Log && _random.Next(8) == 0)
                _machine.Advance((ulong)_random.Next(400));
            var stamp = _random.Next(5) == 0 ? 0 : _machine.Clock.NowMs - (ulong)_random.Next(1_000);
            if (_options.LeaseClock == LeaseClock.Log) Model.Time = Math.Max(Model.Time, stamp);
            _entries[i] = new ApplyEntry(++_machine.Index, _machine.Term, command, stamp);
            _outcomes[i] = !IsRefused(command) && Model.Apply(key, command);
            _machine.Recent.Add((_entries[i], _outcomes[i]));
        }

        _machine.SeeApply();
        Send(count);
        for (var i = 0; i < count; i++)
            if (_results[i] != new ApplyResult(
                _entries[i].Index, StatusOf(_entries[i].Command, _outcomes[i])))
                Assert.Fail(
                $"entry {_entries[i].Index}, {_entries[i].Command.Kind}: {_results[i]}, the model says {_outcomes[i]}");
        Assert.Equal(new LogId(_machine.Index, _machine.Term), Engine.LastApplied);
        SameMark();
        _operations += count - 1;
    }

    private void MoveMark()
    {
        _machine.Mark = new byte[_random.Next(65)];
        _random.NextBytes(_machine.Mark);
        Engine.ApplyChunk(ReadOnlySpan<ApplyEntry>.Empty, [], _machine.Mark);
        SameMark();
    }

    private void SameMark()
    {
        Span<byte> mark = stackalloc byte[64];
        if (!mark[..Engine.ReadMark(mark)].SequenceEqual(_machine.Mark)) Assert.Fail("the mark is another");
    }

    private static bool IsRefused(in Command command) =>
        command.Kind != CommandKind.Noop && command.Key.Length is 0 or > 65_535;

    private static ApplyStatus StatusOf(in Command command, bool succeeded) =>
        IsRefused(command) ? ApplyStatus.Refused : succeeded ? ApplyStatus.Applied : ApplyStatus.ExpectationFailed;

    private Command NextCommand(int key)
    {
        if (_options.InvalidCommands == InvalidCommands.Refuse && _random.Next(50) == 0)
            return _random.Next(2) == 0
                ? Command.Insert(default, Model.RandomValue(_random))
                : Command.Delete(new byte[65_536]);
        var name = Model.Keys[key];
        switch (_random.Next(20))
        {
            case 0: return Command.Noop;
            case < 3: return Command.Delete(name);
            case 3:
                return Command.CompareAndDelete(
                    name, _random.Next(3) == 0 ? Model.RandomValue(_random) : Model.ValueOf(key));
            case 4: return Command.Renew(name, (ulong)_random.Next(0, 9));
            case < 9:
                ReadOnlyMemory<byte>? expected = _random.Next(4) switch
                {
                    0 => null,
                    1 => Model.RandomValue(_random),
                    _ => Model.IsLive(key) ? Model.ValueOf(key) : default(ReadOnlyMemory<byte>?),
                };
                var value = Model.RandomValue(_random);
                if (_random.Next(4) > 0) return Command.CompareAndSwap(name, expected, value);
                var ttl = (ulong)_random.Next(1, 9);
                return expected is { } bytes
                    ? Command.CompareAndSwap(name, bytes, value, ttl)
                    : Command.CompareAndSwap(name, (byte[]?)null, value, ttl);
            case < 12: return Command.Insert(name, Model.RandomValue(_random), (ulong)_random.Next(1, 9));
            default: return Command.Insert(name, Model.RandomValue(_random));
        }
    }

    private void Send(int count)
    {
        var chunk = _entries.AsSpan(0, count);
        var moves = _random.Next(8) == 0;
        if (moves)
        {
            _machine.Mark = new byte[_random.Next(65)];
            _random.NextBytes(_machine.Mark);
        }

        if (_random.Next(2) == 0)
        {
            if (moves) Engine.ApplyChunk(chunk, _results, _machine.Mark);
            else Engine.ApplyChunk(chunk, _results);
            return;
        }

        _wire.ResetWrittenCount();
        foreach (ref readonly var entry in chunk)
        {
            WireWriter.Write(_wire, entry.Index, entry.Term, entry.Command.ToWire(), entry.TimestampMs);
        }

        Assert.Equal(count, moves
            ? Engine.ApplyChunk(_wire.WrittenSpan, _results, _machine.Mark)
            : Engine.ApplyChunk(_wire.WrittenSpan, _results));
    }

    private void SameGets()
    {
        for (var i = 0; i < 16; i++)
        {
            var key = _random.Next(Model.Keys.Length);
            var length = Engine.Read(Model.Keys[key], _buffer);
            var isSame = Model.IsLive(key)
                ? length >= 0 && Model.ValueOf(key).Span.SequenceEqual(_buffer.AsSpan(0, length))
                : length < 0;
            if (!isSame) Assert.Fail(
                $"at {_machine.Index}, key {Text(Model.Keys[key])}: {length} bytes, live in the model: "
                    + $"{Model.IsLive(key)}");
        }

        Assert.Null(Engine.Get(Encoding.ASCII.GetBytes($"/registry/pods/absent/{_random.Next()}")));
        _operations += 16;
    }

    private void SameRange()
    {
        var from = _random.Next(Model.Keys.Length);
        if (_random.Next(2) == 0)
        {
            var to = Math.Min(Model.Keys.Length - 1, from + _random.Next(300));
            Same(from, to, _random.Next(2) == 0, prefix: null);
            return;
        }

        var prefix = Model.Keys[from].AsSpan(0, _random.Next(Model.Keys[from].Length + 1)).ToArray();
        from = Model.FirstNotBelow(prefix);
        var end = from;
        while (end < Model.Keys.Length && Model.Keys[end].AsSpan().StartsWith(prefix)) end++;
        Same(from, end, _random.Next(2) == 0, prefix);
    }

    private void SameEverything()
    {
        SameMark();
        Same(0, Model.Keys.Length, isReversed: false, prefix: []);
        Assert.Equal(Model.Count, Engine.Count);
        Assert.Equal(_machine.Index == 0 ? null : _machine.Term, Engine.EntryTerm(_machine.Index));
    }

    /// <summary>
    /// The keys from one place to another, the second excluded, by range or by the prefix that spans them.
    /// </summary>
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
            if (hasNext != (at != end)) Assert.Fail(
                $"at {_machine.Index}: the scan " + (hasNext
                    ? $"goes on with {Text(scan.Current.Key)}"
                    : $"ends before {Text(Model.Keys[at])}"));
            if (!hasNext) break;
            if (!scan.Current.Key.SequenceEqual(Model.Keys[at])) Assert.Fail(
                $"at {_machine.Index}: the scan is at {Text(scan.Current.Key)}, the model at {Text(Model.Keys[at])}");
            if (!scan.Current.Value.SequenceEqual(Model.ValueOf(at).Span))
                Assert.Fail($"at {_machine.Index}: another value of {Text(Model.Keys[at])}");
        }

        Assert.Equal(_machine.Index, view.Revision);
    }

    private void PassTime()
    {
        if (_random.Next(6) == 0) _machine.SetBack((ulong)_random.Next(10_000));
        else _machine.Advance((ulong)_random.Next(3_000));
        if (_random.Next(4) == 0) _machine.Steps.Tick();
    }

    private void Compact()
    {
        var compaction = Engine.CompactAsync();
        _machine.Steps.Run();
        compaction.GetAwaiter().GetResult();
        SameEverything();
    }

    private void Reopen()
    {
        if (_random.Next(2) == 0) Engine.Stop();
        _machine.Reopen(setBack: _random.Next(3) == 0 ? (ulong)_random.Next(20_000) : 0);
        Reopened++;
        SameEverything();
    }

    private void MoveToAnotherMachine()
    {
        if (_machine.Index == 0) return;
        var snapshot = Path.Combine(_root, $"snapshot{_snapshots++}");
        _other.Install(_machine, snapshot);
        Directory.Delete(snapshot, recursive: true);
        SameEverything();
        (_machine, _other) = (_other, _machine);
        Installed++;
        SameEverything();
    }

    private void Reset()
    {
        _machine.Reset();
        SameEverything();
    }

    private static string Text(ReadOnlySpan<byte> key) => Convert.ToHexString(key);
}
