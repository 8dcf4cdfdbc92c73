using System.Globalization;

namespace Varve;

/// <summary>A part of a scan: see <see cref="IStateMachine.ScanPage"/>.</summary>
/// <param name="Entries">Live entries in key order, in memory that the receiver owns.</param>
/// <param name="Revision">Applied index of the state that was read. The next page may be of a later one.</param>
/// <param name="Continuation">
/// What the call for the next page passes as <c>after</c>: the last key of this page. Empty if there was no further
/// entry.
/// </param>
public sealed record ScanPage(
    IReadOnlyList<KeyValueEntry> Entries, ulong Revision, ReadOnlyMemory<byte> Continuation)
{
    /// <summary>Compares the revisions, the entries and the bytes of the continuations.</summary>
    public bool Equals(ScanPage? other) =>
        other is not null && Revision == other.Revision
        && Continuation.Span.SequenceEqual(other.Continuation.Span) && Entries.SequenceEqual(other.Entries);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Revision, Entries.Count, Continuation.Length);

    /// <summary>The number of entries, the revision, and whether there are more, without bytes of the user's.</summary>
    /// <returns>For example <c>100 entries at revision 17, and more</c>.</returns>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Entries.Count} entries at revision {Revision}{(Continuation.IsEmpty ? "" : ", and more")}");

    /// <summary>The page of a whole scan, for machines that have no cheaper way.</summary>
    internal static ScanPage Of(ScanResult scan, ReadOnlySpan<byte> after, int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var first = 0;
        while (first < scan.Entries.Count && scan.Entries[first].Key.Span.SequenceCompareTo(after) <= 0) first++;
        KeyValueEntry[] entries = [.. scan.Entries.Skip(first).Take(limit)];
        var isMore = first + entries.Length < scan.Entries.Count;
        return new ScanPage(entries, scan.Revision, isMore ? entries[^1].Key : default);
    }
}
