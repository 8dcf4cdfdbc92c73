using System.Buffers.Binary;
using Varve.Memtables;
using Xunit;

namespace Varve.Tests.Engine.Memtables;

/// <summary>
/// Descending keys split the first block over and over and reuse its slots at once, while more readers than processors
/// read only that block and its keys: a reader that is preempted within a read resumes in a different block.
/// </summary>
public class MemtableHotSpotTests
{
    private const int Puts = 300_000;
    private const int Readers = 4;

    [Fact]
    public void PreemptedReadersSeeExactlyTheirRevision()
    {
        using var segment = new TestSegment(64 + (Puts * 40L));
        var published = 0UL;
        var failures = new Exception?[Readers];
        var readers = Enumerable.Range(0, Readers).Select(reader => new Thread(() =>
        {
            try
            {
                var random = new Random(reader);
                while (Volatile.Read(ref published) is var revision and < Puts)
                {
                    if (revision == 0) continue;
                    if (reader % 2 == 0) ReadFirstRows(segment, revision);
                    else ReadKeys(segment, revision, random);
                }
            }
            catch (Exception failure)
            {
                failures[reader] = failure;
            }
        })).ToArray();
        foreach (var reader in readers) reader.Start();
        Span<byte> key = stackalloc byte[4];
        for (var index = 1; index <= Puts; index++)
        {
            BinaryPrimitives.WriteInt32BigEndian(key, Puts - index);
            segment.Put(key, (ulong)index);
            Volatile.Write(ref published, (ulong)index);
        }

        foreach (var reader in readers) reader.Join();
        Assert.Null(failures.FirstOrDefault(failure => failure is not null));
    }

    /// <summary>The newest key is the first row; below a revision the rows go down one index at a time.</summary>
    private static void ReadFirstRows(TestSegment segment, ulong revision)
    {
        var cursor = new MemtableCursor(segment.Index);
        var expected = revision;
        var last = revision > 20 ? revision - 20 : 0;
        for (var valid = cursor.SeekFirst(); valid && expected > last; valid = cursor.MoveNext())
        {
            if (segment.Index.Visible(cursor.Reference, revision).IsNone) continue;
            if (segment.IndexAt(cursor.Reference) != expected)
                throw new InvalidOperationException("a row is missing, doubled or out of order");
            expected--;
        }

        if (expected != last) throw new InvalidOperationException("a walk ended early");
    }

    private static void ReadKeys(TestSegment segment, ulong revision, Random random)
    {
        Span<byte> key = stackalloc byte[4];
        var put = random.Next((int)revision) + 1;
        BinaryPrimitives.WriteInt32BigEndian(key, Puts - put);
        var found = segment.Index.FindVisible(key, TestHash.Of(key), revision);
        if (found.IsNone || segment.IndexAt(found) != (ulong)put)
            throw new InvalidOperationException("a get missed a key");
    }
}
