using System.Numerics;
using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Memory;

namespace Varve.Bench.Micro.Memtables;

/// <summary>
/// The design that the memtable did not take, to measure it against: one key a node, as in LevelDB, over the same
/// operations. A node is { u32 operation, u32 next[height] } in an arena of 4-byte words; single-threaded stores with
/// the same release order as LevelDB's. The newest version replaces the node's operation.
/// </summary>
internal sealed unsafe class PlainSkiplist : IDisposable
{
    private const int HeightMax = 12;

    private readonly byte* _segment;
    private readonly Arena _arena;
    private readonly uint* _words;
    private uint _used = 1 + HeightMax + 1;
    private int _height = 1;
    private ulong _random = 0x9E37_79B9_7F4A_7C15;

    public PlainSkiplist(byte* segment, int keysMax)
    {
        _segment = segment;
        _arena = new Arena((long)keysMax * 16 + 4096, Varve.Storage.ReservedMemory.Reserve);
        _words = (uint*)_arena.Start;
    }

    public void Populate() => _arena.Populate(long.MaxValue);

    public void Insert(uint reference)
    {
        var path = stackalloc uint[HeightMax];
        var key = KeyOf(reference);
        var found = FindAtOrAbove(key, path);
        if (found != 0 && KeyOf(_words[found]).SequenceEqual(key))
        {
            Volatile.Write(ref _words[found], reference);
            return;
        }

        _random ^= _random << 13;
        _random ^= _random >> 7;
        _random ^= _random << 17;
        var height = Math.Min(1 + BitOperations.TrailingZeroCount(_random) / 2, HeightMax);
        while (_height < height) path[_height++] = 1;
        var node = _used;
        _used += 1 + (uint)height;
        _words[node] = reference;
        for (var level = 0; level < height; level++)
        {
            _words[node + 1 + level] = _words[path[level] + 1 + level];
            Volatile.Write(ref _words[path[level] + 1 + level], node);
        }
    }

    /// <summary>The operation of the key, or 0.</summary>
    public uint Find(ReadOnlySpan<byte> key)
    {
        var node = FindAtOrAbove(key, null);
        return node != 0 && KeyOf(_words[node]).SequenceEqual(key) ? _words[node] : 0;
    }

    /// <summary>The first node at or above the key, or 0.</summary>
    public uint Seek(ReadOnlySpan<byte> key) => FindAtOrAbove(key, null);

    public uint First => _words[2];

    public uint Next(uint node) => Volatile.Read(ref _words[node + 1]);

    public uint OperationOf(uint node) => _words[node];

    public void Dispose() => _arena.Dispose();

    private uint FindAtOrAbove(ReadOnlySpan<byte> key, uint* path)
    {
        uint node = 1, beyond = 0;
        for (var level = _height - 1; level >= 0; level--)
        {
            while (true)
            {
                var next = Volatile.Read(ref _words[node + 1 + level]);
                if (next == 0 || next == beyond) break;
                if (KeyOf(_words[next]).SequenceCompareTo(key) >= 0)
                {
                    beyond = next;
                    break;
                }

                node = next;
            }

            if (path != null) path[level] = node;
        }

        return Volatile.Read(ref _words[node + 1]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ReadOnlySpan<byte> KeyOf(uint reference) =>
        new OperationRef(reference).At(_segment).Key;
}
