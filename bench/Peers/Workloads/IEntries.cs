namespace Varve.Bench.Peers;

/// <summary>The content of the log by position: the keys and values of its inserts.</summary>
internal interface IEntries
{
    int KeyBytesMax { get; }

    int ValueBytes { get; }

    /// <summary>Writes the key of a position and gives its length.</summary>
    int WriteKey(long position, Span<byte> key);

    /// <summary>Fills <paramref name="value"/>, which has <see cref="ValueBytes"/> bytes.</summary>
    void WriteValue(long position, Span<byte> value);
}
