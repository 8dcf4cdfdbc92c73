using System.Globalization;

namespace Varve;

/// <summary>A key and its value, in memory that the receiver owns.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The value.</param>
/// <remarks>Entries are equal if their bytes and deadlines are.</remarks>
public readonly record struct KeyValueEntry(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value)
{
    /// <summary>The moment at which the lease expires, in Unix milliseconds; null if there is no lease.</summary>
    public ulong? LeaseDeadlineMs { get; init; }

    /// <summary>Compares the bytes of key and value, and the deadlines.</summary>
    public bool Equals(KeyValueEntry other) =>
        LeaseDeadlineMs == other.LeaseDeadlineMs && Key.Span.SequenceEqual(other.Key.Span)
        && Value.Span.SequenceEqual(other.Value.Span);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Key.Span);
        hash.AddBytes(Value.Span);
        hash.Add(LeaseDeadlineMs);
        return hash.ToHashCode();
    }

    /// <summary>Lengths and deadline, without bytes of the user's.</summary>
    /// <returns>For example <c>key 6 B, value 5 B, lease until 1767225600000 ms</c>.</returns>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"key {Key.Length} B, value {Value.Length} B{(LeaseDeadlineMs is { } end ? $", lease until {end} ms" : "")}");
}
