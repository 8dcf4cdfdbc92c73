using System.Collections.Immutable;
using Varve.Tests.Engine.Recovery;

namespace Varve.Tests.Simulation.Lives;

/// <summary>A key's value, and when it expires by the log's clock.</summary>
internal readonly record struct Row(byte[] Key, byte[] Value, ulong Deadline);

/// <summary>
/// The state that a machine must show at one applied index; <see cref="Live"/> includes expired keys.
/// </summary>
/// <param name="id">The applied index and its term.</param>
/// <param name="live">The rows, with expired ones.</param>
/// <param name="time">The log's clock.</param>
/// <param name="mark">The mark of the outer log.</param>
/// <param name="changes">The changes, with deadlines.</param>
internal sealed class LineState(
    LogId id, ImmutableSortedDictionary<string, Row> live, ulong time, byte[] mark,
    ImmutableList<(Change Change, ulong Deadline)> changes)
{
    private Row[]? _rows;

    public LogId Id { get; } = id;

    public ImmutableSortedDictionary<string, Row> Live { get; } = live;

    /// <summary>The changes of its entries and those before, with the deadlines of leases; else the greatest
    /// number.</summary>
    public ImmutableList<(Change Change, ulong Deadline)> Changes { get; } = changes;

    /// <summary>The log's clock.</summary>
    public ulong Time { get; } = time;

    public byte[] Mark { get; } = mark;

    /// <summary>The unexpired rows, in key order.</summary>
    public Row[] Rows => _rows ??= [.. Live.Values.Where(row => row.Deadline > Time)];
}

/// <summary>
/// A history of entries, and the state at the end of each of its chunks. Its entries are those of <see
/// cref="NumberedLog"/>, with leases among them and the line's tag in every value, so that states of different lines
/// differ. An installed snapshot is a line that continues from another's state.
/// </summary>
internal sealed class Line
{
    private const ulong Start = 1_700_000_000_000;
    private static readonly ImmutableSortedDictionary<string, Row> Empty =
        ImmutableSortedDictionary.Create<string, Row>(StringComparer.Ordinal);
    private readonly byte _tag;
    private readonly Dictionary<ulong, bool> _outcomes;

    public Line(byte tag)
        : this(tag, [new LineState(default, Empty, 0, [], [])], [])
    {
    }

    private Line(byte tag, List<LineState> ends, Dictionary<ulong, bool> outcomes)
    {
        _tag = tag;
        _outcomes = outcomes;
        Ends = ends;
    }

    /// <summary>
    /// The states at the ends of chunks, oldest first. Only added to: expectations name places in it.
    /// </summary>
    public List<LineState> Ends { get; }

    public LineState Last => Ends[^1];

    /// <summary>A line that continues from a state of this one.</summary>
    public Line From(LineState state, byte newTag) => new(newTag, [state], new(_outcomes));

    /// <summary>This line as it was at one of its ends.</summary>
    public Line Back(int position) => new(_tag, Ends[..(position + 1)], new(_outcomes));

    public int PositionOf(ulong index, byte[] mark) =>
        Ends.FindLastIndex(end => end.Id.Index == index && end.Mark.AsSpan().SequenceEqual(mark));

    /// <summary>
    /// The first end of the greatest index up to one: a mark that moved alone at the index may not be there yet.
    /// </summary>
    public int FirstPositionUpTo(ulong index)
    {
        var last = Ends.FindLastIndex(end => end.Id.Index <= index);
        return last < 0 ? last : Ends.FindIndex(end => end.Id == Ends[last].Id);
    }

    public bool Outcome(ulong index) => _outcomes[index];

    /// <summary>Moves the mark alone.</summary>
    public void NextMark() =>
        Ends.Add(new LineState(Last.Id, Last.Live, Last.Time, MarkOf(Last.Id.Index + (ulong)Ends.Count), Last.Changes));

    /// <summary>The next entries, applied to the line, most of them with another mark.</summary>
    public ApplyEntry[] Next(int count, int largeValue = 0)
    {
        var (live, time, first) = (Last.Live.ToBuilder(), Last.Time, Last.Id.Index + 1);
        var (chunk, changes) = (new ApplyEntry[count], Last.Changes);
        for (var i = 0; i < count; i++)
        {
            chunk[i] = Entry(first + (ulong)i, i == 0 ? largeValue : 0);
            time = Math.Max(time, chunk[i].TimestampMs);
            var hasEffect = _outcomes[chunk[i].Index] = Apply(live, chunk[i].Command, time);
            if (hasEffect && chunk[i].Command.Kind != CommandKind.Noop) changes = changes.Add(ChangeOf(chunk[i], live));
        }

        var last = chunk[^1].Index;
        Ends.Add(new LineState(
            NumberedLog.Id(last), live.ToImmutable(), time, last % 4 == 0 ? Last.Mark : MarkOf(last), changes));
        return chunk;
    }

    /// <summary>Entries up to a state's, to be applied again.</summary>
    public ApplyEntry[] Again(LineState state, int count)
    {
        var first = state.Id.Index - (ulong)count + 1;
        return [.. Enumerable.Range(0, count).Select(i => Entry(first + (ulong)i, 0))];
    }

    private ApplyEntry Entry(ulong index, int largeValue)
    {
        var (_, term, command, _) = NumberedLog.Entry(index);
        var at = Start + (index * 1000);
        if (command.Kind is CommandKind.Noop or CommandKind.Delete && largeValue == 0)
            return new ApplyEntry(index, term, command, at);
        var value = Tagged(command.Value);
        if (largeValue > 0)
        {
            value = new byte[largeValue];
            new Random((int)index).NextBytes(value);
            return new ApplyEntry(index, term, Command.Insert("large"u8.ToArray(), value), at);
        }

        command = command.Kind == CommandKind.CompareAndSwap
            ? Command.CompareAndSwap(command.Key, command.Expected is { } expected ? Tagged(expected) : null, value)
            : Command.Insert(command.Key, value, index % 7 == 3 ? 20 + (index % 60) : 0);
        return new ApplyEntry(index, term, command, at);
    }

    /// <summary>A mark of 0 to 64 bytes that no other line and no other number has, unless it is short.</summary>
    private byte[] MarkOf(ulong number)
    {
        var mark = new byte[number * 7 % 65];
        for (var i = 0; i < mark.Length; i++) mark[i] = i == 0 ? _tag : (byte)(number >> (i % 8 * 8));
        return mark;
    }

    private byte[] Tagged(ReadOnlyMemory<byte> value) => [_tag, .. value.Span];

    private static (Change Change, ulong Deadline) ChangeOf(
        in ApplyEntry entry, ImmutableSortedDictionary<string, Row>.Builder live)
    {
        var command = entry.Command;
        if (command.Kind == CommandKind.Delete)
            return (new Change(entry.Index, entry.Term, ChangeKind.Delete, command.Key, default), ulong.MaxValue);
        var row = live[System.Text.Encoding.Latin1.GetString(command.Key.Span)];
        return (new Change(entry.Index, entry.Term, ChangeKind.Put, command.Key, row.Value), row.Deadline);
    }

    private static bool Apply(ImmutableSortedDictionary<string, Row>.Builder live, in Command command, ulong time)
    {
        var key = System.Text.Encoding.Latin1.GetString(command.Key.Span);
        var exists = live.TryGetValue(key, out var row) && row.Deadline > time;
        if (command.Kind == CommandKind.CompareAndSwap
            && !(command.Expected is { } expected
                ? exists && row.Value.AsSpan().SequenceEqual(expected.Span)
                : !exists))
            return false;
        if (command.Kind == CommandKind.Delete) live.Remove(key);
        else if (command.Kind != CommandKind.Noop)
            live[key] = new Row(
                command.Key.ToArray(), command.Value.ToArray(),
                command.TtlSeconds == 0 ? ulong.MaxValue : time + (command.TtlSeconds * 1000));
        return true;
    }
}
