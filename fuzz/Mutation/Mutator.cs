using System.Buffers.Binary;

namespace Varve.Fuzz.Mutation;

/// <summary>Makes new inputs of old ones: a few edits, each of the kinds that break decoders.</summary>
internal sealed class Mutator(Dice dice, int lengthMax)
{
    private const int EditsMaxLog = 4;

    private static readonly ulong[] Interesting =
    [
        0, 1, 2, 7, 8, 16, 32, 63, 64, 65, 100, 127, 128, 255, 256, 1023, 4095, 4096, 32_767, 32_768, 65_535, 65_536,
        1 << 20, 1 << 24, 1 << 30,
        int.MaxValue - 7, int.MaxValue - 1, int.MaxValue, 1UL << 31, uint.MaxValue - 7, uint.MaxValue, 1UL << 32,
        long.MaxValue, 1UL << 63, ulong.MaxValue - 1, ulong.MaxValue,
    ];

    /// <summary>A mutant of an input; <paramref name="other"/> lends parts to splices.</summary>
    public byte[] Mutate(byte[] input, byte[] other)
    {
        List<byte> bytes = [.. input];
        for (var edits = dice.OneIn(2) ? 1 : 1 << dice.Below(EditsMaxLog); edits > 0; edits--) Edit(bytes, other);
        if (bytes.Count > lengthMax) bytes.RemoveRange(lengthMax, bytes.Count - lengthMax);
        return [.. bytes];
    }

    private void Edit(List<byte> bytes, byte[] other)
    {
        var at = dice.Below(bytes.Count);
        switch (bytes.Count == 0 ? 6 : dice.Below(14))
        {
            case 0 or 1: bytes[at] ^= (byte)(1 << dice.Below(8)); break;
            case 2 or 3: bytes[at] = (byte)dice.Next(); break;
            case 4: bytes[at] += (byte)(dice.OneIn(2) ? dice.Small(16) : -dice.Small(16)); break;
            case 5: bytes.RemoveRange(at, dice.Small(bytes.Count - at)); break;
            case 6: bytes.InsertRange(at, RandomBytes(dice.Small(16))); break;
            case 7: Repeat(bytes, at); break;
            case 8: Overwrite(bytes, at, RunOf(dice.OneIn(2) ? (byte)0 : (byte)255, dice.Small(32))); break;
            case 9: PutNumber(bytes, at, Interesting[dice.Below(Interesting.Length)]); break;
            case 10: PutNumber(bytes, at, LengthNear(bytes.Count, at)); break;
            case 11: AddToNumber(bytes, at); break;
            case 12: Overwrite(bytes, at, PartOf(other)); break;
            default: Splice(bytes, at, other); break;
        }
    }

    /// <summary>A length that would fit here, or nearly.</summary>
    private ulong LengthNear(int count, int at) =>
        (ulong)Math.Max(0, (dice.OneIn(2) ? count - at : count) + dice.Below(33) - 16);

    private void PutNumber(List<byte> bytes, int at, ulong value)
    {
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(number, value);
        var width = 1 << dice.Below(4);
        if (dice.OneIn(4)) at &= -width;
        Overwrite(bytes, at, number[..width]);
    }

    private void AddToNumber(List<byte> bytes, int at)
    {
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        number.Clear();
        for (var i = 0; i < number.Length && at + i < bytes.Count; i++) number[i] = bytes[at + i];
        var sum = BinaryPrimitives.ReadUInt64LittleEndian(number)
            + (dice.OneIn(2) ? (ulong)dice.Small(64) : 0UL - (ulong)dice.Small(64));
        PutNumber(bytes, at, sum);
    }

    private static void Overwrite(List<byte> bytes, int at, ReadOnlySpan<byte> content)
    {
        for (var i = 0; i < content.Length && at + i < bytes.Count; i++) bytes[at + i] = content[i];
    }

    private void Repeat(List<byte> bytes, int at)
    {
        var part = bytes.GetRange(at, dice.Small(bytes.Count - at));
        for (var times = dice.Small(8); times > 0 && bytes.Count < lengthMax; times--) bytes.InsertRange(at, part);
    }

    private void Splice(List<byte> bytes, int at, byte[] other)
    {
        // From the same place of the other input, mostly: formats have their fields where they have them.
        var from = dice.OneIn(3) ? dice.Below(other.Length) : Math.Min(at, other.Length);
        bytes.RemoveRange(at, bytes.Count - at);
        bytes.AddRange(other[from..]);
    }

    private byte[] PartOf(byte[] other)
    {
        var from = dice.Below(other.Length);
        return other.Length == 0 ? [] : other[from..(from + dice.Small(other.Length - from))];
    }

    private static byte[] RunOf(byte value, int length) => [.. Enumerable.Repeat(value, length)];

    private byte[] RandomBytes(int length)
    {
        var bytes = new byte[length];
        foreach (ref var b in bytes.AsSpan()) b = (byte)dice.Next();
        return bytes;
    }
}
