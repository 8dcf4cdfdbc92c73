using System.Buffers.Binary;
using Varve.Format;
using Varve.Tables;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Tables;

/// <summary>
/// An enemy who computes checksums gets wrong answers or a <see cref="CorruptionException"/>, never a read out of
/// bounds: the mapping ends at a page that cannot be touched.
/// </summary>
public class HostileTableTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(7)]
    [InlineData(9)]
    public void AnyBytesUnderValidChecksumsStayInBounds(int shape)
    {
        const int seed = 20_261;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed + shape);
        var table = TestTable.Write(TestRows.OfShape(shape == 2 ? 6 : shape, shape, 300), 600);
        var sound = table.Bytes;
        byte[][] probes = [.. TestRows.Probes(table.Rows, seed).Take(200)];
        int opened = 0, verified = 0;
        for (var round = 0; round < 600; round++)
        {
            byte[] hostile = [.. sound];
            var from = random.Next(2) == 0
                ? 0
                : (int)BinaryPrimitives.ReadInt64LittleEndian(sound.AsSpan(sound.Length - TableFooter.Bytes + 24));
            for (var edits = random.Next(1, 5); edits > 0; edits--)
                hostile[random.Next(from, hostile.Length - TableFooter.Bytes)] =
                    (byte)(random.Next(3) == 0 ? 255 : random.Next(256));
            Reseal(hostile, sound, copyLines: from == 0);
            if (hostile.AsSpan().SequenceEqual(sound)) continue;
            table.Bytes = hostile;
            try
            {
                using var open = table.Open();
                opened++;
                ReadAll(open, probes);
                open.Verify();
                verified++;
            }
            catch (VarveException e) when (e is CorruptionException or UnsupportedFormatException)
            {
            }
        }
        Assert.True(opened > 50, $"{opened} opened");
        Assert.Equal(0, verified);
        Assert.Equal(0, table.Storage.LiveMappings);
    }

    private static void ReadAll(Table table, byte[][] probes)
    {
        var cursor = new TableCursor(table);
        long sum = 0;
        foreach (var probe in probes)
        {
            sum += Guard(() => table.Find(probe, TestHash.Of(probe)) is { Exists: true } row ? Sum(row) : 0);
            sum += Guard(() => cursor.Seek(probe) ? Sum(cursor.Row) + cursor.CompareKeyTo(probe) : 0);
            sum += Guard(() => cursor.SeekBefore(probe) ? Sum(cursor.Row) : 0);
        }
        sum += Guard(() => Walk(table));
        sum += Guard(() =>
        {
            long leased = 0;
            var key = new byte[ushort.MaxValue];
            var leases = table.Leases(0, ulong.MaxValue);
            while (leases.MoveNext())
            {
                leases.CopyKeyTo(key);
                leased += Sum(leases.Row);
            }
            return leased;
        });
        GC.KeepAlive(sum);
    }

    private static unsafe long Walk(Table table)
    {
        var buffer = new byte[ushort.MaxValue + 16];
        var cursor = new TableCursor(table);
        long sum = 0;
        nint token = 0;
        fixed (byte* address = buffer)
        {
            for (var ok = cursor.SeekFirst(); ok; ok = cursor.MoveNext())
                sum += cursor.CopyKeyTo(address, ref token) + Sum(cursor.Row) + (long)cursor.Head8;
        }
        return sum;
    }

    private static long Guard(Func<long> read)
    {
        try
        {
            return read();
        }
        catch (VarveException e) when (e is CorruptionException or UnsupportedFormatException)
        {
            return 0;
        }
    }

    private static long Sum(KeyVersion row)
    {
        long sum = 0;
        foreach (var b in row.Value)
            sum += b;
        return sum;
    }

    /// <summary>
    /// Puts right checksums on every block, region and footer, by the places of the sound file; on wish also blocks'
    /// first lines into the index.
    /// </summary>
    private static void Reseal(byte[] bytes, byte[] sound, bool copyLines)
    {
        var salt = TableChecksum.Salt(TestTable.Origin, 7);
        Assert.True(TableFooter.TryDecode(sound, sound.Length, out TableFooter? footer, out _));
        ReadOnlySpan<byte> index = sound.AsSpan((int)footer!.Index.Offset, (int)footer.Index.Length);
        Assert.True(TableIndex.TryValidate(index, footer.DataLength, out TableIndexShape? shape, out _));
        for (var block = 0; block < shape!.BlockCount; block++)
        {
            var begin =
                (int)BinaryPrimitives.ReadUInt32LittleEndian(index[(int)(shape.BlockOffsetsOffset + 4 * block)..]) * 64;
            var end = (int)BinaryPrimitives.ReadUInt32LittleEndian(
                index[(int)(shape.BlockOffsetsOffset + 4 * block + 4)..]) * 64;
            if (copyLines)
                bytes.AsSpan(begin, 64).CopyTo(
                    bytes.AsSpan((int)(footer.Index.Offset + shape.LinesOffset + 64 * block)));
            BinaryPrimitives.WriteUInt64LittleEndian(
                bytes.AsSpan(end - 8), TableChecksum.Of(bytes.AsSpan(begin, end - 8 - begin), salt, begin));
        }
        TableRegion Sealed(TableRegion r) =>
            r with { Checksum = TableChecksum.Of(bytes.AsSpan((int)r.Offset, (int)r.Length), salt, r.Offset) };
        (footer with
        {
            Leases = Sealed(footer.Leases),
            Filter = Sealed(footer.Filter),
            Index = Sealed(footer.Index),
            Properties = Sealed(footer.Properties)
        })
            .Encode(bytes.AsSpan(bytes.Length - TableFooter.Bytes));
    }
}
