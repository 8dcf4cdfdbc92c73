using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Varve.Tests.Conformance.Stress;

/// <summary>
/// A log whose state at any revision is known without applying it: entry i writes key i % K, or deletes it, so a key is
/// as the largest index up to the revision left it. Whatever a reader sees at revision r can be verified in full.
/// </summary>
internal static class Ledger
{
    public const int Keys = 61;

    private static readonly byte[][] Names = [.. Enumerable.Range(0, Keys).Select(
        k => Encoding.ASCII.GetBytes($"key{k:d2}"))];

    public static ReadOnlySpan<byte> Prefix => "key"u8;

    public static byte[] Key(int k) => Names[k];

    private static bool Deletes(ulong index) => index % 7 == 3;

    public static byte[] Value(ulong index)
    {
        var value = new byte[8 + (int)(index * 31 % 200)];
        BinaryPrimitives.WriteUInt64LittleEndian(value, index);
        value.AsSpan(8).Fill((byte)index);
        return value;
    }

    public static ApplyEntry[] Chunk(ulong first, int count) =>
        [.. Enumerable.Range(0, count).Select(i => Entry(first + (ulong)i))];

    private static ApplyEntry Entry(ulong index)
    {
        var key = Key((int)(index % Keys));
        return new ApplyEntry(
            index, 1 + (index / 1_000), Deletes(index) ? Command.Delete(key) : Command.Insert(key, Value(index)),
            index);
    }

    public static LogId At(ulong index) => new(index, index == 0 ? 0 : 1 + (index / 1_000));

    /// <summary>The index that a key's value at a revision comes from; 0: the key is absent.</summary>
    public static ulong Writer(int key, ulong revision)
    {
        var behind = ((revision % Keys) + Keys - (ulong)key) % Keys;
        return behind >= revision || Deletes(revision - behind) ? 0 : revision - behind;
    }

    public static long CountAt(ulong revision) => Enumerable.Range(0, Keys).Count(k => Writer(k, revision) != 0);

    public static void VerifyValue(int key, ulong writer, ReadOnlySpan<byte> value)
    {
        if (!value.SequenceEqual(Value(writer)))
            throw new InvalidDataException(
                string.Create(CultureInfo.InvariantCulture, $"Key {key}: not the value of entry {writer}"));
    }

    /// <summary>Entries in key order must be the state at a revision, no less and no more.</summary>
    public static void Verify(ulong revision, IReadOnlyList<KeyValueEntry> entries)
    {
        var next = 0;
        for (var k = 0; k < Keys; k++)
        {
            var writer = Writer(k, revision);
            if (writer == 0) continue;
            if (next >= entries.Count || !entries[next].Key.Span.SequenceEqual(Key(k)))
                throw new InvalidDataException($"Revision {revision}: key {k} is missing or out of order");
            VerifyValue(k, writer, entries[next++].Value.Span);
        }
        if (next != entries.Count)
            throw new InvalidDataException($"Revision {revision}: {entries.Count - next} entries too many");
    }

    /// <summary>Values read together must be those of one revision between two.</summary>
    public static void VerifyTogether(int[] keys, byte[]?[] values, ulong lowest, ulong highest)
    {
        for (var revision = lowest; revision <= highest; revision++)
        {
            if (keys.Select((k, i) => Writer(k, revision) is var writer
                && (writer == 0 ? values[i] is null : values[i].AsSpan().SequenceEqual(Value(writer)))).All(
                same => same))
                return;
        }
        throw new InvalidDataException(
            $"Keys {string.Join(' ', keys)}: not of one revision from {lowest} to {highest}");
    }
}
