using System.Buffers.Binary;
using ZoneTree;

namespace Varve.Bench.Peers.Engines;

/// <summary>
/// The tree keeps the memory it is given until it is on disk: slices of large arrays, made beforehand.
/// </summary>
internal sealed class ZoneTreeChunks : PreparedChunks
{
    private const int BlockBytesMax = 1 << 24;
    private static readonly Memory<byte> AppliedKey = new byte[] { 0 };

    private readonly IZoneTree<Memory<byte>, Memory<byte>> _tree;
    private readonly byte[][] _blocks;
    private readonly byte[] _keyBytes;
    private readonly int _perBlock;
    private readonly int _valueBytes;
    private readonly int _stride;
    private readonly int _chunkEntries;
    private readonly long _first;

    public ZoneTreeChunks(
        IZoneTree<Memory<byte>, Memory<byte>> tree, IEntries entries, long first, int count, int chunkEntries)
    {
        (_tree, _chunkEntries, _first, _valueBytes) = (tree, chunkEntries, first, entries.ValueBytes);
        _stride = entries.KeyBytesMax + _valueBytes;
        _perBlock = Math.Max(1, BlockBytesMax / _stride);
        _keyBytes = new byte[count];
        _blocks = new byte[(count + _perBlock - 1) / _perBlock][];
        for (var b = 0; b < _blocks.Length; b++) _blocks[b] = GC.AllocateUninitializedArray<byte>(_perBlock * _stride);
        for (var i = 0; i < count; i++)
        {
            var entry = _blocks[i / _perBlock].AsSpan(i % _perBlock * _stride, _stride);
            _keyBytes[i] = checked((byte)entries.WriteKey(first + i, entry[..entries.KeyBytesMax]));
            entries.WriteValue(first + i, entry.Slice(_keyBytes[i], _valueBytes));
        }
    }

    public override int Count => (_keyBytes.Length + _chunkEntries - 1) / _chunkEntries;

    public override void Apply(int chunk)
    {
        var from = chunk * _chunkEntries;
        var to = Math.Min(from + _chunkEntries, _keyBytes.Length);
        for (var i = from; i < to; i++)
        {
            var entry = _blocks[i / _perBlock].AsMemory(i % _perBlock * _stride, _stride);
            var key = entry[.._keyBytes[i]];
            var value = entry.Slice(_keyBytes[i], _valueBytes);
            _tree.Upsert(in key, in value);
        }

        Memory<byte> applied = new byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(applied.Span, _first + to);
        _tree.Upsert(in AppliedKey, in applied);
    }

    public override void Dispose() { }
}
