namespace Varve.Bench.Peers.Engines;

/// <summary>Keys and values side by side in native memory at a fixed stride: the input of the engines that take pointers.</summary>
internal sealed unsafe class PackedEntries : IDisposable
{
    private readonly NativeBlock _block;
    private readonly int _stride;

    public PackedEntries(EntrySource source, long first, int count, int chunkEntries)
    {
        KeyBytes = source.KeyBytes;
        ValueBytes = source.ValueBytes;
        Count = count;
        First = first;
        ChunkEntries = chunkEntries;
        _stride = KeyBytes + ValueBytes;
        _block = new NativeBlock((long)count * _stride);
        for (var i = 0; i < count; i++)
        {
            source.WriteKey(first + i, _block.Slice((long)i * _stride, KeyBytes));
            source.WriteValue(first + i, _block.Slice((long)i * _stride + KeyBytes, ValueBytes));
        }
    }

    public int KeyBytes { get; }

    public int ValueBytes { get; }

    public int Count { get; }

    public long First { get; }

    public int ChunkEntries { get; }

    public int Chunks => (Count + ChunkEntries - 1) / ChunkEntries;

    public byte* Key(int entry) => _block.Start + (long)entry * _stride;

    public void Dispose() => _block.Dispose();
}
