using System.Text;

namespace Varve.Tests.Corruption.Golden;

/// <summary>A state to compare with: keys in order, each with its value.</summary>
internal sealed record GoldenState(ulong Index, ulong Term, byte[][] Keys, byte[][] Values);

/// <summary>
/// A log of chunks that a seed determines, with every kind of command and column; and the model of it: the state after
/// each position, computed from nothing with a sorted dictionary.
/// </summary>
internal sealed class GoldenLog(int seed)
{
    public const int Keys = 300;
    private readonly Random _random = new(seed);
    private readonly List<ApplyEntry> _entries = [];
    private readonly List<(ulong Index, ulong Term)> _positions = [(0, 0)];
    private readonly List<ApplyStatus> _outcomes = [];
    private readonly SortedDictionary<byte[], (byte[] Value, ulong Deadline)> _live = new(ByteOrder.Instance);
    private readonly Dictionary<ulong, GoldenState> _states = [];
    private ulong _logTime = 1_700_000_000_000;
    private ulong _time;

    /// <summary>
    /// Every key that a log can contain: a reader that gets each of them finds the model's and no other.
    /// </summary>
    public byte[][] Universe { get; } = [.. Enumerable.Range(0, Keys + 20).Select(Key)];

    public (ulong Index, ulong Term) Last => _positions[^1];

    /// <summary>Positions at which a recovery can end: those after a chunk or a jump.</summary>
    public IReadOnlyList<(ulong Index, ulong Term)> Positions => _positions;

    /// <summary>The next chunk, which is also applied to the model.</summary>
    public ApplyEntry[] Next(int count)
    {
        var chunk = new ApplyEntry[count];
        var (index, term) = Last;
        for (var i = 0; i < count; i++)
        {
            index += _random.Next(12) == 0 ? (ulong)_random.Next(2, 5) : 1;
            if (_random.Next(25) == 0) term += (ulong)_random.Next(1, 3);
            term = Math.Max(term, 1);
            if (_random.Next(4) == 0) _logTime += (ulong)_random.Next(1, 1500);
            chunk[i] = new ApplyEntry(index, term, NextCommand(), _random.Next(3) == 0 ? 0 : _logTime);
            Apply(chunk[i]);
        }

        _positions.Add((index, term));
        _states[index] = Freeze(index, term);
        return chunk;
    }

    /// <summary>A move of the applied position without entries.</summary>
    public LogId Jump(ulong by)
    {
        var (index, term) = Last;
        _positions.Add((index + by, term));
        _states[index + by] = Freeze(index + by, term);
        return new LogId(index + by, term);
    }

    /// <summary>The state at one of the positions.</summary>
    public GoldenState At(ulong index) => _states[index];

    public bool IsPosition(ulong index) => _states.ContainsKey(index);

    /// <summary>The last entries up to an index, and what came of them.</summary>
    public (ApplyEntry[] Entries, ApplyStatus[] Outcomes) Latest(ulong index, int count)
    {
        var end = _entries.FindLastIndex(entry => entry.Index <= index) + 1;
        var begin = Math.Max(0, end - count);
        return ([.. _entries[begin..end]], [.. _outcomes[begin..end]]);
    }

    /// <summary>A log that continues from one of the positions, with entries that this log never had.</summary>
    public static ApplyEntry[] Continuation(GoldenState from) =>
        [.. Enumerable.Range(1, 5).Select(i => new ApplyEntry(
            from.Index + (ulong)i, from.Term, Command.Insert(Key(i), Encoding.ASCII.GetBytes($"after-{i}"))))];

    public static GoldenState Continued(GoldenState from)
    {
        var state = new SortedDictionary<byte[], byte[]>(ByteOrder.Instance);
        for (var i = 0; i < from.Keys.Length; i++) state[from.Keys[i]] = from.Values[i];
        foreach (var entry in Continuation(from)) state[entry.Command.Key.ToArray()] = entry.Command.Value.ToArray();
        return new GoldenState(from.Index + 5, from.Term, [.. state.Keys], [.. state.Values]);
    }

    private static byte[] Key(int number) => (number % 5) switch
    {
        0 => Encoding.ASCII.GetBytes($"account/{number:D6}"),
        1 => Encoding.ASCII.GetBytes(
            $"account/{number:D6}/a-tail-that-is-longer-than-a-head-and-shared-by-many/{number * 7}"),
        2 => [(byte)'b', 0, (byte)(number >> 8), (byte)number, 0],
        3 => [(byte)(number * 37), (byte)(number >> 3), (byte)number],
        _ => Encoding.ASCII.GetBytes($"zone-{number % 7}:{number}"),
    };

    private Command NextCommand()
    {
        var key = Key(_random.Next(Keys));
        return _random.Next(100) switch
        {
            < 60 => Command.Insert(key, Value()),
            < 72 => Command.Insert(key, Value(), (ulong)_random.Next(1, 400)),
            < 82 => Command.Delete(key),
            < 94 => Command.CompareAndSwap(key, _random.Next(3) > 0 && _live.TryGetValue(key, out var current)
                ? current.Value
                : _random.Next(2) == 0 ? null
                : Value(), Value()),
            < 98 => Command.Noop,
            _ => Command.Delete(default), // refused
        };
    }

    private byte[] Value()
    {
        var value = new byte[_random.Next(10) == 0
            ? 0
            : _random.Next(20) == 0 ? _random.Next(1500, 2500)
            : _random.Next(8, 700)];
        _random.NextBytes(value);
        return value;
    }

    private void Apply(ApplyEntry entry)
    {
        var command = entry.Command;
        _time = Math.Max(_time, entry.TimestampMs);
        var key = command.Key.ToArray();
        var exists = _live.TryGetValue(key, out var current) && (current.Deadline == 0 || _time < current.Deadline);
        var succeeded = command.Kind != CommandKind.CompareAndSwap
            ? key.Length > 0 || command.Kind == CommandKind.Noop
            : (command.Expected is { } expected
                ? exists && current.Value.AsSpan().SequenceEqual(expected.Span)
                : !exists);
        _entries.Add(entry);
        _outcomes.Add(succeeded
            ? ApplyStatus.Applied
            : command.Kind == CommandKind.CompareAndSwap ? ApplyStatus.ExpectationFailed
            : ApplyStatus.Refused);
        if (!succeeded || command.Kind == CommandKind.Noop) return;
        if (command.Kind == CommandKind.Delete) _live.Remove(key);
        else
            _live[key] = (
                command.Value.ToArray(),
                command.Kind == CommandKind.Insert && command.TtlSeconds > 0 ? _time + (command.TtlSeconds * 1000) : 0);
    }

    private GoldenState Freeze(ulong index, ulong term)
    {
        var now = _live.Where(pair => pair.Value.Deadline == 0 || _time < pair.Value.Deadline).ToList();
        return new GoldenState(
            index, term, [.. now.Select(pair => pair.Key)], [.. now.Select(pair => pair.Value.Value)]);
    }
}

/// <summary>Unsigned order of bytes.</summary>
internal sealed class ByteOrder : IComparer<byte[]>
{
    public static ByteOrder Instance { get; } = new();

    public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
}
