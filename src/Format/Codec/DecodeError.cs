namespace Varve.Format;

/// <summary>
/// Why some bytes are not what they should be. Codecs return it and never throw on hostile bytes; the caller adds the
/// path and turns it into a <c>CorruptionException</c> or an <c>UnsupportedFormatException</c> (or, for a caller's
/// chunk, an argument error).
/// </summary>
/// <param name="Offset">Where in the span handed to the codec the first bad byte stands.</param>
/// <param name="Reason">What is wrong there, or, if <paramref name="IsUnsupported"/>, what was met; never user
/// bytes.</param>
/// <param name="IsUnsupported">The bytes are intact, and say something that this build does not know.</param>
internal readonly record struct DecodeError(long Offset, string Reason, bool IsUnsupported = false)
{
    /// <summary>Bytes that are intact and that only another build understands.</summary>
    public static DecodeError Unsupported(long offset, string met) => new(offset, met, IsUnsupported: true);

    /// <summary>A checksum that is not that of the bytes it covers.</summary>
    public static DecodeError Checksum(long offset, ulong stored, ulong computed) =>
        new(offset, $"checksum mismatch (stored {stored:x16}, computed {computed:x16})");

    /// <inheritdoc/>
    public override string ToString() => $"{Reason} at byte {Offset}";
}
