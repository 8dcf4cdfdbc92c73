using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Varve.Format;
using Varve.Memory;
using Varve.Tables;

namespace Varve.Iterators;

/// <summary>
/// The merge of a compaction: runs as one sequence in key order, every key once, with its newest row. Forward only.
/// <para>
/// A row costs one search for the smallest head (<see cref="HeadTournament"/>) and one step of one cursor; whole keys
/// are compared only where heads are equal. A head begins behind the bytes that all keys of the merge have in common.
/// </para>
/// <para>
/// <see cref="MergingIterator"/> is another type because a scan has a leader: most of its rows come from one run, so
/// it keeps a runner-up and steps the leader without a search. The runs of a compaction take turns, and upkeep of a
/// runner-up would cost a second search for nearly every row.
/// </para>
/// </summary>
/// <remarks>The caller has references to the tables. One thread.</remarks>
internal sealed class CompactionMerge : IDisposable
{
    private const int KeyRoom = ushort.MaxValue + 1 + 2 * KeyHead.Bytes;

    private readonly KeyHasher _hasher;
    private readonly Input[] _inputs;
    private readonly NativeBuffer _keys = new();
    private readonly int _prefixLength;
    private HeadTournament _heads = new();
    private ulong _left; // the inputs that have rows left, as bits
    private int _current = -1;

    /// <summary>
    /// Starts before the first row of runs, the newest first, at most <see cref="HeadTournament.SearchableInputsMax"/>.
    /// Each is tables with ascending, disjoint ranges.
    /// </summary>
    // SAFETY: the buffer has KeyRoom bytes for each input, does not grow again, and lives until Dispose.
    public unsafe CompactionMerge(IReadOnlyList<Table[]> runs, ulong hashSeed)
    {
        _hasher = new KeyHasher(hashSeed);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(runs.Count, HeadTournament.SearchableInputsMax);
        _prefixLength = CommonPrefixLength(runs);
        _keys.Reserve(runs.Count * KeyRoom);
        _inputs = new Input[runs.Count];
        _heads.Begin(runs.Count);
        for (var i = 0; i < _inputs.Length; i++)
        {
            _inputs[i] = new Input { Tables = runs[i], Key = _keys.Address + i * KeyRoom };
            _left |= 1UL << i;
            EnterTable(i, 0);
        }
    }

    /// <summary>
    /// Moves to the next row; returns false if there is none. The key lives until the next move, the value as long as
    /// its table.
    /// </summary>
    // SAFETY: the key is in the input's part of the buffer; the value is in a table that the caller has a reference to.
    public unsafe bool MoveNext(out RowRef row)
    {
        if (_current >= 0) Step(_current);
        if (_left == 0)
        {
            _current = -1;
            row = default;
            return false;
        }

        var smallest = _heads.Smallest() & _left;
        _current = (smallest & (smallest - 1)) == 0 ? BitOperations.TrailingZeroCount(smallest) : Newest(smallest);
        ref Input input = ref _inputs[_current];
        var found = input.Cursor.Row;
        row = new RowRef(
            input.Key, input.KeyLength, _hasher.Of(input.KeySpan), found.Kind, found.Deadline, found.ValueAddress,
            found.ValueLength);
        return true;
    }

    public void Dispose() => _keys.Dispose();

    /// <summary>
    /// Returns, among inputs with equal heads, the newest with the smallest key, and steps the others over that key:
    /// what they have is older (I9).
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Newest(ulong tied)
    {
        var first = BitOperations.TrailingZeroCount(tied);
        ulong same = 0;
        for (var rest = tied & (tied - 1); rest != 0; rest &= rest - 1)
        {
            var input = BitOperations.TrailingZeroCount(rest);
            var order = _inputs[input].KeySpan.SequenceCompareTo(_inputs[first].KeySpan);
            if (order == 0)
                same |= 1UL << input;
            else if (order < 0)
                (first, same) = (input, 0);
        }

        for (; same != 0; same &= same - 1)
            Step(BitOperations.TrailingZeroCount(same));
        return first;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Step(int input)
    {
        ref Input from = ref _inputs[input];
        if (from.Cursor.MoveNext())
            ReadKey(input);
        else
            EnterTable(input, from.Table + 1);
    }

    private void EnterTable(int input, int table)
    {
        ref Input from = ref _inputs[input];
        from.Table = table;
        from.PrefixToken = 0;
        if (table == from.Tables.Length)
        {
            _heads.Set(input, ulong.MaxValue);
            _left &= ~(1UL << input);
            return;
        }

        from.Cursor = new TableCursor(from.Tables[table]);
        from.Cursor.SeekFirst();
        ReadKey(input);
    }

    // SAFETY: an input's part of the buffer has room for the longest key and sixteen bytes more.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private unsafe void ReadKey(int input)
    {
        ref Input from = ref _inputs[input];
        from.KeyLength = from.Cursor.CopyKeyTo(from.Key, ref from.PrefixToken);
        _heads.Set(input, KeyHead.Of(from.KeySpan, _prefixLength));
    }

    private static int CommonPrefixLength(IReadOnlyList<Table[]> runs)
    {
        var first = runs[0][0].SmallestKey;
        var length = first.Length;
        foreach (var run in runs)
            length = Math.Min(
                length,
                Math.Min(first.CommonPrefixLength(run[0].SmallestKey), first.CommonPrefixLength(run[^1].LargestKey)));
        return length;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Input
    {
        public Table[] Tables;
        public TableCursor Cursor;
        public nint PrefixToken;
        public int KeyLength;
        public int Table;

        // SAFETY: these members show the input's part of the merge's buffer, which lives until the merge is disposed;
        // ReadKey sets the length with the bytes.
        public unsafe byte* Key;

        public readonly unsafe ReadOnlySpan<byte> KeySpan => new(Key, KeyLength);
    }
}
