using Varve.Applying;
using Varve.Format;
using Xunit;

namespace Varve.Tests.Engine.Applying;

/// <summary>The room of a chunk: its own table of keys, whatever their hashes are, and what it keeps afterwards.</summary>
public class ChunkScratchTests
{
    /// <summary>Hashes that are all one, or that crowd in few places: the work is that of other keys, counted in looks at keys.</summary>
    [Theory]
    [InlineData(0UL, 2000)]
    [InlineData(7UL, 2000)]
    [InlineData(ulong.MaxValue, 40)]
    public void KeysAreFoundWithinABoundedNumberOfLooks(ulong hashMask, int count)
    {
        var scratch = new ChunkScratch();
        var keys = Enumerable.Range(0, count).Select(BitConverter.GetBytes).ToArray();
        for (var chunk = 0; chunk < 3; chunk++)
        {
            scratch.Begin(count);
            var source = new CountingSource(keys);
            for (var i = 0; i < count; i++)
            {
                // Every third entry is on the key of an earlier one.
                var key = keys[i % 3 == 2 ? i / 2 : i];
                source.At[i] = key;
                scratch.Hashes[i] = TestHash.Of(key) & hashMask;
                Assert.Equal(source.Newest.GetValueOrDefault(Convert.ToHexString(key)), scratch.FindInChunk(source, key, scratch.Hashes[i], 0));
                scratch.References[i] = (uint)(chunk * count) + (uint)i + 1;
                source.Newest[Convert.ToHexString(key)] = scratch.References[i];
                scratch.NoteInChunk(source, i, 0);
            }

            Assert.InRange(source.Looks, 1, count * 110); // 32 and a few more, for the search and for the note, and two of it
        }
    }

    [Fact]
    public void WhatOneLargeChunkTookIsGivenBack()
    {
        var scratch = new ChunkScratch();
        var usual = scratch.Bytes;
        var chunk = new ApplyEntry[200_000];
        for (var i = 0; i < chunk.Length; i++) chunk[i] = new ApplyEntry((ulong)i + 1, 1, Command.Noop);
        scratch.Take(chunk);
        scratch.Begin(chunk.Length);
        Assert.True(scratch.Bytes > chunk.Length * 100L);
        scratch.Trim();
        Assert.InRange(scratch.Bytes, usual, 2 * usual);
        scratch.Take(chunk.AsSpan(0, 1000));
        scratch.Begin(1000);
        var kept = scratch.Bytes;
        scratch.Trim();
        Assert.Equal(kept, scratch.Bytes);
    }

    private sealed class CountingSource(byte[][] keys) : IChunkSource
    {
        public Dictionary<string, uint> Newest { get; } = [];

        public byte[][] At { get; } = [.. keys];

        public long Looks { get; private set; }

        public ReadOnlySpan<byte> Key(int entry)
        {
            Looks++;
            return At[entry];
        }

        public ReadOnlySpan<byte> Value(int entry) => throw new NotSupportedException();

        public bool TryGetExpected(int entry, out ReadOnlySpan<byte> expected) => throw new NotSupportedException();
    }
}
