using System.Buffers.Binary;
using Varve.Format;
using Varve.Tables;
using Varve.Tests.Shared.Disk;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>
/// A data block: what passes validation is read in every way that a reader reads, and where its keys ascend, also
/// found, and encoded again.
/// </summary>
internal static unsafe class DataBlockTarget
{
    private const ulong Salt = 0x5EED_5A17;
    private const long FileOffset = 4096;

    public static ulong Run(ReadOnlySpan<byte> input)
    {
        var bytes = SealedInput.Open(input, out var flags);
        if ((flags & SealedInput.Reseal) != 0)
        {
            bytes = bytes[..(bytes.Length & -DataBlockHeader.Alignment)];
            Seal(bytes);
        }

        var valid = DataBlock.TryValidate(bytes, Salt, FileOffset, out var error);
        ErrorFits(valid, error, bytes.Length);
        if (!valid) return Feature.Of(error);
        using var memory = new GuardedMemory(bytes, mayReuse: true);
        return Feature.Join(Walk(new DataBlockView(memory.Address, memory.Address)), bytes[13]);
    }

    public static IEnumerable<(string, byte[])> Seeds() =>
    [
        .. SealedInput.Seeds(
            "fixed", Block(("k1", RecordKind.Put, "v1"), ("k2", RecordKind.Put, "v2"), ("k3", RecordKind.Put, "v3"))),
        .. SealedInput.Seeds("mixed", Block(
            ("prefix/a", RecordKind.LeasedPut, "v"), ("prefix/a\0", RecordKind.Tombstone, ""),
            ("prefix/longer than a head", RecordKind.Put, "a longer value"))),
        // Tags of other keys: a search by a row's key has no candidate.
        ("no-tag-of-its-keys-resealed", [SealedInput.Reseal, .. OtherTags(Block(("k1", RecordKind.Put, "v1")))]),
    ];

    private static byte[] OtherTags(byte[] block)
    {
        for (var row = 0; row < block[12]; row++) block[DataBlockHeader.Bytes + row]++;
        return block;
    }

    private static byte[] Block(params (string Key, RecordKind Kind, string Value)[] rows) =>
        Encode([.. rows.Select(row => (
            System.Text.Encoding.ASCII.GetBytes(row.Key), row.Kind, 1000UL,
            System.Text.Encoding.ASCII.GetBytes(row.Value)))]);

    private static void Seal(Span<byte> block)
    {
        if (block.Length < DataBlockHeader.ChecksumBytes) return;
        var covered = block[..^DataBlockHeader.ChecksumBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(block[covered.Length..], TableChecksum.Of(covered, Salt, FileOffset));
    }

    private static byte[] Encode(List<(byte[] Key, RecordKind Kind, ulong Deadline, byte[] Value)> rows)
    {
        using var bytes = new MemoryStream();
        var described = new List<DataBlockRow>();
        foreach (var (key, kind, deadline, value) in rows)
        {
            var at = (int)bytes.Position;
            bytes.Write(key);
            bytes.Write(value);
            described.Add(new DataBlockRow(
                at, (ushort)key.Length, at + key.Length, value.Length, kind, deadline,
                DataBlock.TagOf(TestHash.Of(key))));
        }

        var block = new byte[DataBlock.ExtentMax(rows.Count, bytes.Length, 8 * rows.Count)];
        return block[..DataBlock.Encode(described.ToArray(), bytes.ToArray(), block, Salt, FileOffset)];
    }

    private static ulong Walk(DataBlockView block)
    {
        var rows = Rows(block);
        var ascending = true;
        for (var i = 1; i < rows.Count; i++) ascending &= rows[i - 1].Key.AsSpan().SequenceCompareTo(rows[i].Key) < 0;
        for (var i = 0; i < rows.Count; i++)
        {
            var key = rows[i].Key;
            var hash = TestHash.Of(key);
            Holds(block.CompareKeyTo(i, key) == 0, "a key that equals itself");
            var bound = block.LowerBound(key);
            var found = block.RowOf(key, hash);
            Holds(bound >= 0 && bound <= block.Count && found >= -1 && found < block.Count, "a row inside the block");
            Holds(
                block.Find(key, hash).ValueAddress == (found < 0 ? null : block.Row(found).ValueAddress),
                "the same row by both ways");
            Holds(found < 0 || rows[found].Key.AsSpan().SequenceEqual(key), "a row found by its key");
            block.LowerBound([.. key, 0]);
            block.LowerBound(key.AsSpan(0, key.Length - 1));
            if (!ascending) continue;
            Holds(bound == i, "a key's own row as its lower bound");
            Holds(found == i || block.Tag(i) != DataBlock.TagOf(hash), "a row with its tag found");
        }

        if (ascending) CheckEncodedAgain(rows);
        return Feature.Of("block", (ulong)rows.Count << 1 | (ascending ? 1u : 0u));
    }

    private static List<(byte[] Key, RecordKind Kind, ulong Deadline, byte[] Value)> Rows(DataBlockView block)
    {
        var rows = new List<(byte[], RecordKind, ulong, byte[])>();
        for (var i = 0; i < block.Count; i++)
        {
            var key = new byte[block.KeyLength(i)];
            block.CopyKeyTo(i, key);
            var row = block.Row(i);
            rows.Add((key, row.Kind, row.Deadline, row.Value.ToArray()));
        }

        return rows;
    }

    private static void CheckEncodedAgain(List<(byte[] Key, RecordKind Kind, ulong Deadline, byte[] Value)> rows)
    {
        var encoded = Encode(rows);
        Holds(DataBlock.TryValidate(encoded, Salt, FileOffset, out _), "a block that is valid when encoded again");
        using var memory = new GuardedMemory(encoded, mayReuse: true);
        var again = Rows(new DataBlockView(memory.Address, memory.Address));
        Holds(again.Count == rows.Count, "as many rows when encoded again");
        for (var i = 0; i < rows.Count; i++)
        {
            var same = again[i].Key.AsSpan().SequenceEqual(rows[i].Key)
                && again[i].Value.AsSpan().SequenceEqual(rows[i].Value)
                && (again[i].Kind, again[i].Deadline) == (rows[i].Kind, rows[i].Deadline);
            Holds(same, "the same rows when encoded again");
        }
    }
}
