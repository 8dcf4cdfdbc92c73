using System.Text;

namespace Varve.Tests.Crash.Child;

/// <summary>
/// A log in which every chunk follows from a seed and its first index, so that two processes agree on it without
/// communication.
/// </summary>
internal static class SeededLog
{
    private const ulong Keys = 97;

    public static ApplyEntry[] ChunkFrom(ulong seed, ulong first)
    {
        return [.. Enumerable.Range(0, CountFrom(seed, first)).Select(i => Entry(seed, first + (ulong)i))];
    }

    /// <summary>
    /// Applies the chunk from an index on. Its mark moves with it, so that mark and position are found together.
    /// </summary>
    public static void Apply(LsmStateMachine engine, ApplyEntry[] chunk, ApplyResult[] results) =>
        engine.ApplyChunk(chunk, results, MarkAt(chunk[^1].Index));

    /// <summary>The mark of the state at an index; of the empty state there is none.</summary>
    public static byte[] MarkAt(ulong index) =>
        index == 0 ? [] : [.. BitConverter.GetBytes(index), .. new byte[index % 56]];

    /// <summary>The index at which the chunk after an index ends.</summary>
    public static ulong EndAfter(ulong seed, ulong index) => index + (ulong)CountFrom(seed, index + 1);

    private static int CountFrom(ulong seed, ulong first) => 1 + Dice(seed, first).Next(64);

    private static Random Dice(ulong seed, ulong index) =>
        new((int)((((seed << 20) ^ index) * 0x9E3779B97F4A7C15) >> 33));

    private static byte[] Key(ulong index) => Encoding.ASCII.GetBytes($"k{index % Keys:d3}");

    private static byte[] Value(ulong seed, ulong index)
    {
        var dice = Dice(seed + 1, index);
        var value = new byte[dice.Next(5) == 0 ? 0 : dice.Next(1, 600)];
        dice.NextBytes(value);
        return value;
    }

    /// <summary>
    /// Swaps expect what the entry before on the same key wrote, if it wrote: about half of them hit.
    /// </summary>
    private static ApplyEntry Entry(ulong seed, ulong index)
    {
        var key = Key(index);
        var value = Value(seed, index);
        ReadOnlyMemory<byte>? expected = index > Keys ? Value(seed, index - Keys) : null;
        var command = Dice(seed, index).Next(20) switch
        {
            0 => Command.Noop,
            < 3 => Command.Delete(key),
            < 12 => Command.CompareAndSwap(key, expected, value),
            < 14 => Command.Insert(key, value, 1 + (index % 3)),
            _ => Command.Insert(key, value),
        };
        return new ApplyEntry(index, 1 + (index / 500), command, 1_000 + (index * 10));
    }
}
