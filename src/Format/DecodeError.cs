namespace Varve.Format;

/// <summary>
/// Why some bytes are not what they should be. Codecs return it and never throw on hostile bytes; the caller adds the
/// path and turns it into a <c>CorruptionException</c> (or, for a caller's chunk, an argument error).
/// </summary>
/// <param name="Offset">Where in the span handed to the codec the first bad byte stands.</param>
/// <param name="Reason">What was expected there; a constant, never user bytes.</param>
internal readonly record struct DecodeError(long Offset, string Reason)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Reason} at byte {Offset}";
}
