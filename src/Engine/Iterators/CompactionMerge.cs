using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Varve.Format;
using Varve.Memory;
using Varve.Tables;

namespace Varve.Iterators;

/// <summary>
/// Merges runs of tables for a compaction: every key once, in order, with its newest row. Forward only. A row costs a
/// search for the smallest of a few heads, which are one or two vectors and need no branch that could be mispredicted,
/// and the steps of one cursor; whole keys are looked at where heads are equal. A head begins behind what all keys of
/// the merge share.
/// </summary>
/// <remarks>The caller has references to the tables. One thread.</remarks>
internal sealed unsafe class CompactionMerge : IDisposable
{
    private const int Lanes = 8;
    private const int KeyRoom = ushort.MaxValue + 1 + 2 * KeyHead.Bytes;

    private readonly KeyHasher _hasher;
    private readonly Input[] _inputs;
    private readonly NativeBuffer _memory = new();
    private readonly ulong* _heads;
    private readonly int _lanes;
    private readonly int _shared;
    private ulong _left;
    private int _current = -1;

    /// <summary>
    /// Before the first row of runs, the newest first, at most 64. Each is tables with ascending, disjoint ranges.
    /// </summary>
    public CompactionMerge(IReadOnlyList<Table[]> runs, ulong hashSeed)
    {
        _hasher = new KeyHasher(hashSeed);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(runs.Count, sizeof(ulong) * 8);
        _shared = SharedPrefix(runs);
        _lanes = (runs.Count + Lanes - 1) / Lanes * Lanes;
        var headsBytes = _lanes * sizeof(ulong);
        _memory.Reserve(headsBytes + runs.Count * KeyRoom);
        _heads = (ulong*)_memory.Address;
        _inputs = new Input[runs.Count];
        for (var i = 0; i < _lanes; i++)
            _heads[i] = ulong.MaxValue;
        for (var i = 0; i < _inputs.Length; i++)
        {
            _inputs[i] = new Input { Tables = runs[i], Key = _memory.Address + headsBytes + i * KeyRoom };
            _left |= 1UL << i;
            Enter(i, 0);
        }
    }

    /// <summary>
    /// Goes to the next row; false when there is none. The key lives until the next move, the value as long as its
    /// table.
    /// </summary>
    public bool MoveNext(out RowRef row)
    {
        if (_current >= 0) Advance(_current);
        if (_left == 0)
        {
            _current = -1;
            row = default;
            return false;
        }
        var smallest = Smallest();
        _current = (smallest & (smallest - 1)) == 0 ? BitOperations.TrailingZeroCount(smallest) : Newest(smallest);
        ref Input input = ref _inputs[_current];
        var at = input.Cursor.Row;
        row = new RowRef(
            input.Key, input.KeyLength, _hasher.Of(new ReadOnlySpan<byte>(input.Key, input.KeyLength)), at.Kind,
            at.Deadline, at.ValueAddress, at.ValueLength);
        return true;
    }

    public void Dispose() => _memory.Dispose();

    /// <summary>The inputs with the smallest head, as bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Smallest()
    {
        var least = Vector512.Load(_heads);
        for (var lane = Lanes; lane < _lanes; lane += Lanes)
            least = Vector512.Min(least, Vector512.Load(_heads + lane));
        var four = Vector256.Min(least.GetLower(), least.GetUpper());
        var two = Vector128.Min(four.GetLower(), four.GetUpper());
        var head = Vector512.Create(Math.Min(two[0], two[1]));
        ulong equal = 0;
        for (var lane = 0; lane < _lanes; lane += Lanes)
            equal |= Vector512.Equals(Vector512.Load(_heads + lane), head).ExtractMostSignificantBits() << lane;
        return equal & _left;
    }

    /// <summary>
    /// Among inputs with equal heads, the newest with the smallest key; older versions of that key are passed over.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Newest(ulong tied)
    {
        var first = BitOperations.TrailingZeroCount(tied);
        ulong same = 0;
        for (var rest = tied & (tied - 1); rest != 0; rest &= rest - 1)
        {
            var input = BitOperations.TrailingZeroCount(rest);
            var order = KeyOf(input).SequenceCompareTo(KeyOf(first));
            if (order == 0)
                same |= 1UL << input;
            else if (order < 0)
                (first, same) = (input, 0);
        }
        for (; same != 0; same &= same - 1)
            Advance(BitOperations.TrailingZeroCount(same));
        return first;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Advance(int input)
    {
        ref Input from = ref _inputs[input];
        if (from.Cursor.MoveNext())
            Take(input);
        else
            Enter(input, from.Table + 1);
    }

    private void Enter(int input, int table)
    {
        ref Input from = ref _inputs[input];
        from.Table = table;
        from.Prefix = 0;
        if (table == from.Tables.Length)
        {
            _heads[input] = ulong.MaxValue;
            _left &= ~(1UL << input);
            return;
        }
        from.Cursor = new TableCursor(from.Tables[table]);
        from.Cursor.SeekFirst();
        Take(input);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Take(int input)
    {
        ref Input from = ref _inputs[input];
        from.KeyLength = from.Cursor.CopyKeyTo(from.Key, ref from.Prefix);
        _heads[input] = KeyHead.Of(new ReadOnlySpan<byte>(from.Key, from.KeyLength), _shared);
    }

    private ReadOnlySpan<byte> KeyOf(int input) => new(_inputs[input].Key, _inputs[input].KeyLength);

    private static int SharedPrefix(IReadOnlyList<Table[]> runs)
    {
        var first = runs[0][0].SmallestKey;
        var shared = first.Length;
        foreach (var run in runs)
            shared = Math.Min(
                shared,
                Math.Min(first.CommonPrefixLength(run[0].SmallestKey), first.CommonPrefixLength(run[^1].LargestKey)));
        return shared;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Input
    {
        public Table[] Tables;
        public TableCursor Cursor;
        public byte* Key;
        public nint Prefix;
        public int KeyLength;
        public int Table;
    }
}
