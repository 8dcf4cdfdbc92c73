using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Varve.Format;

/// <summary>
/// The mark of an outer log: up to 64 bytes that the engine stores with the applied position and never interprets. A
/// value: it holds its bytes. The default is the empty mark, which is that of a state without one.
/// </summary>
internal struct LogMark : IEquatable<LogMark>
{
    /// <summary>The most bytes of a mark.</summary>
    public const int LengthMax = WordCount * sizeof(ulong);

    /// <summary>The number of words that hold the bytes.</summary>
    public const int WordCount = 8;

    private MarkWords _words; // zeros behind the length

    /// <param name="bytes">At most <see cref="LengthMax"/> bytes.</param>
    public LogMark(ReadOnlySpan<byte> bytes)
    {
        Length = bytes.Length;
        bytes.CopyTo(MemoryMarshal.AsBytes((Span<ulong>)_words));
    }

    /// <summary>The number of bytes; 0: there is no mark.</summary>
    public int Length { get; private set; }

    public readonly bool IsEmpty => Length == 0;

    /// <summary>The bytes; valid as long as the variable that holds the mark.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Bytes => MemoryMarshal.AsBytes((ReadOnlySpan<ulong>)_words)[..Length];

    /// <summary>A word of the bytes, as they lie in memory.</summary>
    public readonly ulong this[int word] => _words[word];

    /// <summary>Copies the mark, or as much of it as fits, and returns its whole length.</summary>
    public readonly int CopyTo(Span<byte> destination)
    {
        Bytes[..Math.Min(Length, destination.Length)].CopyTo(destination);
        return Length;
    }

    /// <summary>Makes a mark of the words of another one.</summary>
    public static LogMark OfWords(int length, ReadOnlySpan<ulong> words)
    {
        var mark = new LogMark { Length = length };
        words.CopyTo(mark._words);
        return mark;
    }

    public static bool operator ==(in LogMark left, in LogMark right) => left.Bytes.SequenceEqual(right.Bytes);

    public static bool operator !=(in LogMark left, in LogMark right) => !(left == right);

    public readonly bool Equals(LogMark other) => Bytes.SequenceEqual(other.Bytes);

    public override readonly bool Equals([NotNullWhen(true)] object? obj) => obj is LogMark other && Equals(other);

    public override readonly int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    [InlineArray(WordCount)]
    private struct MarkWords
    {
        private ulong _first;
    }
}
