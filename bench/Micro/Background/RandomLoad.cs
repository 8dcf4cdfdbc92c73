using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using Varve.Format;

namespace Varve.Bench.Micro.Background;

/// <summary>
/// Encoded chunks of inserts with random keys of 16 bytes and values of 100, half of each compressible; built before
/// any clock starts.
/// </summary>
internal sealed unsafe class RandomLoad : IDisposable
{
    public const int KeyBytes = 16;
    public const int ValueBytes = 100;
    private const int EntryBytesMax = 160;
    private readonly long[] _offsets;
    private byte* _start;

    public RandomLoad(long entries, int chunkEntries)
    {
        Entries = entries;
        var chunks = (entries + chunkEntries - 1) / chunkEntries;
        _offsets = new long[chunks + 1];
        _start = (byte*)NativeMemory.Alloc((nuint)(entries * EntryBytesMax));
        var chunk = new ArrayBufferWriter<byte>(chunkEntries * EntryBytesMax);
        Span<byte> key = stackalloc byte[KeyBytes];
        Span<byte> value = stackalloc byte[ValueBytes];
        value.Fill((byte)'v');
        long at = 0;
        for (var i = 0L; i < entries; i++)
        {
            WriteKey(i, key);
            for (var byteAt = 0; byteAt < ValueBytes / 2; byteAt += 8)
                BinaryPrimitives.WriteUInt64LittleEndian(value[byteAt..], Mix((ulong)i * 8 + (ulong)byteAt));
            WireWriter.WriteInsert(chunk, (ulong)i + 1, 1, key, value);
            if ((i + 1) % chunkEntries != 0 && i + 1 != entries) continue;
            chunk.WrittenSpan.CopyTo(new Span<byte>(_start + at, chunk.WrittenCount));
            _offsets[i / chunkEntries] = at;
            at += chunk.WrittenCount;
            chunk.ResetWrittenCount();
        }

        _offsets[^1] = at;
    }

    public long Entries { get; }

    public int Chunks => _offsets.Length - 1;

    public long UserBytes => Entries * (KeyBytes + ValueBytes);

    public ReadOnlySpan<byte> Chunk(int number) =>
        new(_start + _offsets[number], (int)(_offsets[number + 1] - _offsets[number]));

    /// <summary>The key of an entry, counted from 0.</summary>
    public static void WriteKey(long entry, Span<byte> key)
    {
        var high = Mix((ulong)entry);
        BinaryPrimitives.WriteUInt64BigEndian(key, high);
        BinaryPrimitives.WriteUInt64BigEndian(key[8..], Mix(high));
    }

    public void Dispose()
    {
        NativeMemory.Free(_start);
        _start = null;
    }

    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return BitOperations.RotateLeft(x ^ (x >> 31), 17);
    }
}
