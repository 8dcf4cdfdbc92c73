namespace Varve.Bench.Peers.Engines;

/// <summary>Reads of one thread.</summary>
internal interface IBenchReader : IDisposable
{
    /// <summary>Copies the value of a key out of the engine; its length, or -1 when the key is absent.</summary>
    int Get(ReadOnlySpan<byte> key, Span<byte> destination);

    /// <summary>
    /// Reads a value where it lies, in the way that copies least; its length, or -1 when the key is absent.
    /// </summary>
    int GetInPlace(ReadOnlySpan<byte> key, ref ulong seen);

    /// <summary>
    /// Copies out the values of <paramref name="count"/> keys from <paramref name="from"/>, in one call of the engine
    /// where it has one; how many there were.
    /// </summary>
    int GetMulti(ReadKeys keys, int from, int count, Span<byte> destination);

    /// <summary>Visits every entry under a prefix and gives how many there were.</summary>
    long ScanPrefix(ReadOnlySpan<byte> prefix, ref ulong seen);

    /// <summary>
    /// Visits up to <paramref name="limit"/> entries at or above a key in key order and gives how many there were.
    /// </summary>
    long ScanFrom(ReadOnlySpan<byte> key, int limit, ref ulong seen);

    /// <summary>Visits every entry in key order and gives how many there were.</summary>
    long ScanAll(ref ulong seen);
}

/// <summary>A second way of reading that an engine offers, reported beside the first.</summary>
internal interface IManagedReader
{
    /// <summary>Like <see cref="IBenchReader.Get"/>, through the package's ordinary managed call.</summary>
    int GetManaged(ReadOnlySpan<byte> key, Span<byte> destination);
}

/// <summary>A third way: a pinned value, copied by the caller.</summary>
internal interface IPinnedReader
{
    /// <summary>Like <see cref="IBenchReader.Get"/>, with the engine's pinned slice.</summary>
    int GetPinned(ReadOnlySpan<byte> key, Span<byte> destination);
}

/// <summary>
/// Visits each entry of a scan: the same for all engines, reading enough to prove that key and value are there.
/// </summary>
internal static class Visit
{
    public static void Entry(ref ulong seen, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
        seen += key[^1] + ((ulong)value[0] << 8) + (uint)value.Length;

    /// <summary>Both ends of a value read in place.</summary>
    public static void Value(ref ulong seen, ReadOnlySpan<byte> value) =>
        seen += value[0] + ((ulong)value[^1] << 8) + (uint)value.Length;
}
