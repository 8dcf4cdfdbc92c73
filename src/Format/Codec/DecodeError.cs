namespace Varve.Format;

/// <summary>
/// A fault in some bytes. Codecs return it and never throw on hostile bytes. The caller adds the path and turns it into
/// a <c>CorruptionException</c> or an <c>UnsupportedFormatException</c>, or into an argument error for a chunk.
/// </summary>
/// <param name="Offset">Offset of the faulty field in the span that the codec was given.</param>
/// <param name="Field">The faulty field, such as "record length"; if <paramref name="IsUnsupported"/>, the thing that
/// this build does not know. Null: there is no fault.</param>
/// <param name="Problem">What is wrong with the field, such as "is out of range".</param>
/// <param name="IsUnsupported">The bytes are intact, and another build wrote them.</param>
internal readonly record struct DecodeError(long Offset, string? Field, string Problem, bool IsUnsupported = false)
{
    /// <summary>True if there is a fault; the default has none.</summary>
    public bool IsFault => Field is not null;

    /// <summary>The field and its problem as text; empty without a fault.</summary>
    public string Reason => Field is null ? "" : new FieldFault(Field, Problem).ToString();

    /// <summary>Intact bytes that only another build understands.</summary>
    public static DecodeError Unsupported(long offset, string met) => new(offset, met, "", IsUnsupported: true);

    /// <summary>A checksum that differs from that of the bytes it covers.</summary>
    public static DecodeError Checksum(long offset, ulong stored, ulong computed) =>
        new(offset, "checksum", $"mismatch (stored {stored:x16}, computed {computed:x16})");

    /// <inheritdoc/>
    public override string ToString() => $"{Reason} at byte {Offset}";
}
