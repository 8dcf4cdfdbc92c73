using System.Text.Json;
using Varve.Format;
using ZstdSharp;

namespace Varve.Tests.Format.Wire;

public class RecordedLogTests
{
    [Fact]
    public void DecodesEveryEntryLikeGoogle()
    {
        using var expected = JsonDocument.Parse(File.ReadAllBytes(DataFile("expected.json")));
        var (chunks, entries, last) = (0, 0, default(Meaning));
        ReadOnlySpan<byte> frames = Load();
        DecodeError error;
        while (ChunkFrames.TryReadFrame(ref frames, out var chunk, out error))
        {
            var meanings = GoogleOracle.AssertSame(chunk)!;
            chunks++;
            entries += meanings.Count;
            last = meanings[^1];
        }

        Assert.False(error.IsFault);
        Assert.Equal(expected.RootElement.GetProperty("chunks").GetInt32(), chunks);
        Assert.Equal(expected.RootElement.GetProperty("entries").GetInt32(), entries);
        Assert.Equal(expected.RootElement.GetProperty("last_applied").GetProperty("index").GetUInt64(), last!.Index);
        Assert.Equal(expected.RootElement.GetProperty("last_applied").GetProperty("term").GetUInt64(), last.Term);
    }

    [Fact]
    public void DecodingAllocatesNothing()
    {
        var log = Load();
        byte[] slow = [9, 0x10, 1, 0x08, 1, 0x28, 3, 0x1A, 1, 0x0A];
        byte[] unusual = [10, 0x10, 1, 0x08, 1, 0x28, 3, 0x1A, 2, 0x0A, 0];
        Count(log, slow, unusual);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var entries = Count(log, slow, unusual);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(25_001, entries);
    }

    private static int Count(byte[] log, byte[] rejected, byte[] unusual)
    {
        var entries = 0;
        ReadOnlySpan<byte> frames = log;
        while (ChunkFrames.TryReadFrame(ref frames, out var chunk, out _))
        {
            var reader = new ChunkReader(chunk);
            while (reader.TryRead(out _)) entries++;
        }

        var other = new ChunkReader(unusual);
        while (other.TryRead(out _)) entries++;
        other = new ChunkReader(rejected);
        while (other.TryRead(out _)) entries++;
        return entries;
    }

    private static byte[] Load()
    {
        using var zstd = new Decompressor();
        return zstd.Unwrap(File.ReadAllBytes(DataFile("log.bin.zst"))).ToArray();
    }

    private static string DataFile(string name) => Path.Combine(AppContext.BaseDirectory, "Sample", name);
}
