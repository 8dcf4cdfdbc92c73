using System.Runtime.CompilerServices;

namespace Varve.Bench.Peers.Engines;

/// <summary>
/// Keys and values one behind the other in native memory, in the order of use: the input of the engines that take
/// pointers. An entry is { i32 key length, key, value }; all values have one length.
/// </summary>
internal sealed unsafe class PackedEntries : IDisposable
{
    private const int HeaderBytes = 4;
    private readonly NativeBlock _block;
    private readonly long[] _chunks;

    public PackedEntries(IEntries entries, long first, int count, int chunkEntries)
    {
        (Count, First, ChunkEntries, ValueBytes) = (count, first, chunkEntries, entries.ValueBytes);
        _chunks = new long[(count + chunkEntries - 1) / chunkEntries];
        _block = new NativeBlock((long)count * (HeaderBytes + entries.KeyBytesMax + ValueBytes));
        long at = 0;
        for (var i = 0; i < count; i++)
        {
            if (i % chunkEntries == 0) _chunks[i / chunkEntries] = at;
            var keyBytes = entries.WriteKey(first + i, _block.Slice(at + HeaderBytes, entries.KeyBytesMax));
            *(int*)(_block.Start + at) = keyBytes;
            at += HeaderBytes + keyBytes;
            entries.WriteValue(first + i, _block.Slice(at, ValueBytes));
            at += ValueBytes;
        }
    }

    public int Count { get; }

    public long First { get; }

    public int ChunkEntries { get; }

    public int ValueBytes { get; }

    public int Chunks => _chunks.Length;

    /// <summary>The position after the chunk's last entry.</summary>
    public long End(int chunk) => First + Math.Min((chunk + 1) * (long)ChunkEntries, Count);

    public int CountOf(int chunk) => Math.Min(ChunkEntries, Count - chunk * ChunkEntries);

    /// <summary>The start of the chunk's entries, for <see cref="Next"/>.</summary>
    public byte* Start(int chunk) => _block.Start + _chunks[chunk];

    /// <summary>The key at <paramref name="at"/>, which its value follows; moves on to the next entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Next(ref byte* at, int valueBytes, out int keyBytes)
    {
        keyBytes = *(int*)at;
        var key = at + HeaderBytes;
        at = key + keyBytes + valueBytes;
        return key;
    }

    public void Dispose() => _block.Dispose();
}
