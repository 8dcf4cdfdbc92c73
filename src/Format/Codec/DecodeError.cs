namespace Varve.Format;

/// <summary>
/// A fault in some bytes. Codecs return it and never throw on hostile bytes. The caller adds the path and turns it into
/// a <c>CorruptionException</c> or an <c>UnsupportedFormatException</c>, or into an argument error for a chunk.
/// </summary>
/// <param name="Offset">Offset of the faulty field in the span that the codec was given.</param>
/// <param name="Reason">The field and its fault, such as "record length is out of range"; if
/// <paramref name="IsUnsupported"/>, the thing that this build does not know. Never user bytes.</param>
/// <param name="IsUnsupported">The bytes are intact, and another build wrote them.</param>
internal readonly record struct DecodeError(long Offset, string Reason, bool IsUnsupported = false)
{
    /// <summary>Intact bytes that only another build understands.</summary>
    public static DecodeError Unsupported(long offset, string met) => new(offset, met, IsUnsupported: true);

    /// <summary>A checksum that differs from that of the bytes it covers.</summary>
    public static DecodeError Checksum(long offset, ulong stored, ulong computed) =>
        new(offset, $"checksum mismatch (stored {stored:x16}, computed {computed:x16})");

    /// <inheritdoc/>
    public override string ToString() => $"{Reason} at byte {Offset}";
}
