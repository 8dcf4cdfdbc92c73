using Varve.Format;
using Varve.Memtables;
using Xunit;

namespace Varve.Tests.Engine.Memtables;

/// <summary>Nothing that the memtable's index does on the hot path allocates.</summary>
public class MemtableAllocationTests
{
    private const int Count = 5_000;

    [Fact]
    public void InsertsAndReadsAllocateNothing()
    {
        using var segment = new TestSegment(1 << 20);
        Fill(segment, 0);
        Read(segment);   // the first pass compiles and initialises what is behind
        var before = GC.GetAllocatedBytesForCurrentThread();
        Fill(segment, 1);
        Read(segment);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Fill(TestSegment segment, int round)
    {
        Span<byte> key = stackalloc byte[8];
        Span<OperationRef> references = stackalloc OperationRef[10];
        for (var i = 0; i < Count; i++)
        {
            MakeKey(key, i * 2 + round);
            var hash = TestHash.Of(key);
            segment.Index.Prefetch(hash);
            var reference = segment.Write(key, (ulong)(i + 1 + (round * Count)), segment.Index.Find(key, hash));
            if (i % 20 < 10)
            {
                segment.Index.Insert(reference, hash);
                continue;
            }

            segment.Index.InsertExact(reference, hash);
            references[i % 10] = reference;
            if (i % 10 == 9) segment.Index.InsertOrdered(references);
        }
    }

    private static void Read(TestSegment segment)
    {
        Span<byte> key = stackalloc byte[8];
        var cursor = new MemtableCursor(segment.Index);
        for (var i = 0; i < Count * 2; i++)
        {
            MakeKey(key, i);
            segment.Index.FindVisible(key, TestHash.Of(key), ulong.MaxValue);
            cursor.Seek(key);
            cursor.SeekBefore(key);
        }

        for (var valid = cursor.SeekFirst(); valid; valid = cursor.MoveNext()) { }
        for (var valid = cursor.SeekLast(); valid; valid = cursor.MovePrevious()) { }
    }

    private static void MakeKey(Span<byte> key, int number) =>
        BitConverter.TryWriteBytes(key, (ulong)number * 0x9E37_79B9_7F4A_7C15);
}
