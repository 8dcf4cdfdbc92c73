using System.Runtime.InteropServices;

namespace Varve.Bench.Peers;

/// <summary>
/// The keys of a run of reads, drawn and written out beforehand, one behind the other in memory in the order of use:
/// what a read costs is not the fetching of its key. Pinned, so that every engine is given what it takes: spans,
/// pointers or memories.
/// </summary>
internal sealed unsafe class ReadKeys
{
    private readonly byte[] _bytes;
    private readonly byte[]? _lengths;
    private readonly int _stride;

    private ReadKeys(KeyShape keys, int count, Func<int, long> number)
    {
        Count = count;
        _stride = keys.BytesMax;
        _bytes = GC.AllocateUninitializedArray<byte>(checked(count * _stride), pinned: true);
        for (var i = 0; i < count; i++)
        {
            var length = keys.Write(number(i), _bytes.AsSpan(i * _stride, _stride));
            if (length == _stride) continue;
            _lengths ??= Enumerable.Repeat((byte)_stride, count).ToArray();
            _lengths[i] = (byte)length;
        }
    }

    public int Count { get; }

    public ReadOnlySpan<byte> this[int i] => _bytes.AsSpan(i * _stride, Length(i));

    public static ReadKeys Present(EntrySource source, int count, long stream) =>
        PresentBelow(source, count, stream, source.Entries);

    /// <summary>Of the first <paramref name="bound"/> entries only.</summary>
    public static ReadKeys PresentBelow(EntrySource source, int count, long stream, long bound) =>
        new(source.Keys, count, i => EntrySource.Pick((ulong)(stream << 40) + (ulong)i, bound));

    public static ReadKeys Absent(EntrySource source, int count, long stream) =>
        new(
            source.Keys, count,
            i => source.Entries + EntrySource.Pick((ulong)(stream << 40) + (ulong)i, source.Entries));

    /// <summary>The keys of given numbers.</summary>
    public static ReadKeys Of(KeyShape keys, long[] numbers) => new(keys, numbers.Length, i => numbers[i]);

    public byte* Pointer(int i) => (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_bytes, i * _stride);

    public ReadOnlyMemory<byte> Memory(int i) => _bytes.AsMemory(i * _stride, Length(i));

    private int Length(int i) => _lengths is null ? _stride : _lengths[i];
}
