using System.Buffers;
using System.Runtime.CompilerServices;
using Varve.Commit;
using Varve.Format;
using Varve.Storage;
using Varve.Wal;
using Xunit;

namespace Varve.Tests.Engine.Applying;

/// <summary>
/// The buffers of a chunk: its own table of keys, for any hashes, and the memory that it keeps afterwards.
/// </summary>
public sealed class ChunkBuffersTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("varve-scratch-").FullName;
    private readonly SegmentPool _pool;
    private readonly WalWriter _log;

    public ChunkBuffersTests()
    {
        _pool = new SegmentPool(
            Storages.Default, _directory, Guid.NewGuid(), new FileNumbers(1), 1 << 20, isSynced: false);
        _log = new WalWriter(_pool.Acquire(1 << 19, 1 << 20), default, default, default, isSynced: false);
    }

    public void Dispose()
    {
        _log.Active.Dispose();
        _pool.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>
    /// Hashes that are all one, or that crowd in few places: a few keys find their place, all others go to the second
    /// table, so none is looked for among all of them; and each is found.
    /// </summary>
    [Theory]
    [InlineData(0UL, 2000, 1)]
    [InlineData(7UL, 2000, 8)]
    [InlineData(ulong.MaxValue, 2000, 2000)]
    public void KeyLookupTakesBoundedProbes(ulong hashMask, int count, int places)
    {
        const int ProbesMax = 32;
        var buffers = new ChunkBuffers(null);
        var keys = Enumerable.Range(0, count).Select(BitConverter.GetBytes).ToArray();
        for (var chunk = 0; chunk < 3; chunk++)
        {
            var newest = new Dictionary<int, OperationRef>();
            var room = _log.BeginRecord(count * 64);
            var length = 0;
            buffers.Begin(0, count);
            for (var i = 0; i < count; i++)
            {
                var number = i % 3 == 2 ? i / 2 : i; // every third entry is on the key of an earlier one
                buffers.Hashes[i] = TestHash.Of(keys[number]) & hashMask;
                Assert.Equal(
                    newest.GetValueOrDefault(number), buffers.FindInChunk(_log, keys[number], buffers.Hashes[i]));
                newest[number] = buffers.References[i] = OperationRef.FromOffset(_log.Active.End + length);
                length += (int)WalOperation.Write(
                    room[length..], (ulong)i + 1, default, RecordKind.Put, keys[number], [], 0);
                buffers.SetInChunk(_log, i, keys[number]);
            }

            Assert.True(
                buffers.Overflowed >= newest.Count - (places + ProbesMax),
                $"{buffers.Overflowed} of {newest.Count} keys");
            if (places == count) Assert.InRange(buffers.Overflowed, 0, count / 100);
        }
    }

    /// <summary>Room that doubles as entries come leaves as much garbage again as it takes.</summary>
    [Fact]
    public void LargeChunkIsDecodedIntoBuffersOfItsSize()
    {
        const int Count = 300_000;
        var chunk = new ArrayBufferWriter<byte>();
        for (ulong index = 1; index <= Count; index++) WireWriter.WriteNoop(chunk, index, 1);
        var buffers = new ChunkBuffers(null);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(Count, new ChunkDecoder(buffers).Decode(chunk.WrittenSpan));
        var entries = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(entries, 1, (Count + 1000L) * Unsafe.SizeOf<WireEntry>());
    }

    /// <summary>
    /// Of a malformed chunk no more is believed than that the rest of its bytes are the shortest entries.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(200)]
    public void BytesThatCannotBeEntriesReserveNoBuffer(byte length)
    {
        var chunk = new ArrayBufferWriter<byte>();
        for (ulong index = 1; index <= 128; index++) WireWriter.WriteNoop(chunk, index, 1);
        chunk.GetSpan(1 << 20)[..(1 << 20)].Fill(length);
        chunk.Advance(1 << 20);
        var buffers = new ChunkBuffers(null);
        var usual = buffers.Bytes;
        Assert.Throws<ArgumentException>(() => new ChunkDecoder(buffers).Decode(chunk.WrittenSpan));
        Assert.InRange(buffers.Bytes, usual, usual + ((1 << 20) / 50 * Unsafe.SizeOf<WireEntry>()));
    }

    [Fact]
    public void BuffersOfLargeChunkAreReleased()
    {
        var buffers = new ChunkBuffers(null);
        var usual = buffers.Bytes;
        var chunk = new ApplyEntry[200_000];
        for (var i = 0; i < chunk.Length; i++) chunk[i] = new ApplyEntry((ulong)i + 1, 1, Command.Noop);
        new ChunkDecoder(buffers).TryCopyFrom(chunk);
        buffers.Begin(0, chunk.Length);
        Assert.True(buffers.Bytes > chunk.Length * 100L);
        buffers.DropLarge();
        Assert.InRange(buffers.Bytes, 0, usual);
        new ChunkDecoder(buffers).TryCopyFrom(chunk.AsSpan(0, 1000));
        buffers.Begin(0, 1000);
        var kept = buffers.Bytes;
        buffers.DropLarge();
        Assert.Equal(kept, buffers.Bytes);
    }
}
