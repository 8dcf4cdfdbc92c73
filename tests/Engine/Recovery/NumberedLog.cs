using System.Text;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>
/// A log whose entry i is a function of i, so that the state at every index can be computed from nothing.
/// </summary>
internal static class NumberedLog
{
    private const int Keys = 97;

    public static ulong TermOf(ulong index) => 1 + (index / 100);

    public static LogId Id(ulong index) => index == 0 ? default : new LogId(index, TermOf(index));

    public static ApplyEntry Entry(ulong index) => new(index, TermOf(index), CommandOf(index));

    public static ApplyEntry[] Chunk(ulong first, int count) =>
        [.. Enumerable.Range(0, count).Select(i => Entry(first + (ulong)i))];

    /// <summary>Applies the entries after the current index up to an index, a few in a chunk.</summary>
    public static void ApplyUpTo(LsmStateMachine machine, ulong last, int perChunk = 20)
    {
        var results = new ApplyResult[perChunk];
        for (var next = machine.LastApplied.Index + 1; next <= last; next += (ulong)perChunk)
            machine.ApplyChunk(Chunk(next, (int)Math.Min((ulong)perChunk, last - next + 1)), results);
    }

    /// <summary>
    /// The machine has the state of the index that it says, all of it and nothing else; returns that index.
    /// </summary>
    public static ulong AssertIsWhole(LsmStateMachine machine)
    {
        var index = AssertIsWholeToRead(machine);
        if (index <= 10) return index;
        var results = new ApplyResult[10];
        machine.ApplyChunk(Chunk(index - 9, 10), results);
        Assert.Equal(StateAt(index).Outcomes.TakeLast(10), results.Select(result => result.Succeeded));
        return index;
    }

    /// <summary>
    /// Like <see cref="AssertIsWhole"/>, but applies no duplicates: for a machine that accepts no entries.
    /// </summary>
    public static ulong AssertIsWholeToRead(LsmStateMachine machine)
    {
        var (index, term) = machine.LastApplied;
        Assert.Equal(index == 0 ? 0 : TermOf(index), term);
        var expected = StateAt(index).State;
        var scan = machine.ScanPrefix([]);
        Assert.Equal(index, scan.Revision);
        Assert.Equal(
            expected.Select(pair => (pair.Key, pair.Value)),
            scan.Entries.Select(entry => (Text(entry.Key), Text(entry.Value))));
        Assert.Equal(expected.Count, machine.Count);
        for (var key = 0; key < Keys; key += 7)
            Assert.Equal(
                expected.GetValueOrDefault($"key-{key:D3}"),
                machine.Get(Encoding.Latin1.GetBytes($"key-{key:D3}")) is { } value ? Text(value) : null);
        return index;
    }

    private static (SortedDictionary<string, string> State, List<bool> Outcomes) StateAt(ulong last)
    {
        var state = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var outcomes = new List<bool>();
        for (ulong index = 1; index <= last; index++)
        {
            var command = CommandOf(index);
            var key = Text(command.Key);
            var succeeded = command.Kind != CommandKind.CompareAndSwap
                || (command.Expected is { } expected
                    ? state.TryGetValue(key, out var current) && current == Text(expected)
                    : !state.ContainsKey(key));
            outcomes.Add(succeeded);
            if (command.Kind == CommandKind.Delete) state.Remove(key);
            else if (command.Kind != CommandKind.Noop && succeeded) state[key] = Text(command.Value);
        }

        return (state, outcomes);
    }

    private static Command CommandOf(ulong index)
    {
        var key = Encoding.Latin1.GetBytes($"key-{index % Keys:D3}");
        return (index * 2_654_435_761 >> 7 & 7) switch
        {
            0 => Command.Delete(key),
            1 => Command.CompareAndSwap(key, null, ValueOf(index)),
            2 when index > Keys => Command.CompareAndSwap(key, ValueOf(index - Keys), ValueOf(index)),
            3 when index % 5 == 0 => Command.Noop,
            _ => Command.Insert(key, ValueOf(index)),
        };
    }

    private static byte[] ValueOf(ulong index)
    {
        var value = new byte[index % 11 == 0 ? 0 : 40 + (index % 300)];
        for (var i = 0; i < value.Length; i++) value[i] = (byte)(index + ((ulong)i * 31));
        return value;
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.Latin1.GetString(bytes.Span);
}
