using System.Diagnostics.CodeAnalysis;
using Varve.Format;

namespace Varve.Commit;

/// <summary>The effect of a chunk on the mark of the outer log: leave it (the default), or replace it.</summary>
internal readonly struct MarkChange
{
    /// <summary>The mark is left.</summary>
    public static readonly MarkChange None = default;

    private readonly LogMark _mark;

    /// <summary>Replaces the mark by the caller's bytes, which are read here and not again.</summary>
    /// <exception cref="ArgumentException">The bytes are more than 64.</exception>
    public MarkChange(ReadOnlySpan<byte> mark)
    {
        if (mark.Length > LogMark.LengthMax)
            throw new ArgumentException(
                $"The mark has {mark.Length} bytes; the most is {LogMark.LengthMax}.", nameof(mark));
        _mark = new LogMark(mark);
        IsGiven = true;
    }

    /// <summary>True if the mark is replaced, even by an equal one.</summary>
    public bool IsGiven { get; }

    /// <summary>The mark that replaces the present one.</summary>
    [UnscopedRef]
    public ref readonly LogMark Mark => ref _mark;

    /// <summary>True if another mark replaces the present one.</summary>
    public bool Moves(in LogMark present) => IsGiven && _mark != present;
}
