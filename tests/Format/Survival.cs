namespace Varve.Tests.Format;

internal delegate bool TryDecodeBytes(ReadOnlySpan<byte> bytes);

/// <summary>
/// Attacks that every decoder must survive: it answers for any bytes, and allocates in proportion to them.
/// </summary>
internal static class Survival
{
    /// <summary>Every truncation, every flipped bit, every 32-bit field set to extremes, and a byte too many.</summary>
    public static void OfDamageTo(byte[] valid, TryDecodeBytes tryDecode, bool truncationsAreRejected = true)
    {
        Assert.True(tryDecode(valid));
        for (var length = 0; length < valid.Length; length++)
        {
            var accepted = Bounded(valid.AsSpan(0, length), tryDecode);
            Assert.False(accepted && truncationsAreRejected, $"accepted when cut to {length} of {valid.Length} bytes");
        }

        Assert.False(Bounded([.. valid, 0], tryDecode) && truncationsAreRejected, "accepted with a byte too many");
        for (var bit = 0; bit < valid.Length * 8; bit++)
        {
            var flipped = (byte[])valid.Clone();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Bounded(flipped, tryDecode);
        }

        for (var at = 0; at + 4 <= valid.Length; at++)
        {
            foreach (var extreme in (int[])[-1, int.MaxValue, int.MinValue, 0])
            {
                var stamped = (byte[])valid.Clone();
                BitConverter.TryWriteBytes(stamped.AsSpan(at), extreme);
                Bounded(stamped, tryDecode);
            }
        }
    }

    /// <summary>Decodes, and fails when far more was allocated than the bytes could hold.</summary>
    public static bool Bounded(ReadOnlySpan<byte> bytes, TryDecodeBytes tryDecode)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var accepted = tryDecode(bytes);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (64 << 10) + (64L * bytes.Length));
        return accepted;
    }
}
