using System.Globalization;

namespace Varve;

/// <summary>The result of a scan.</summary>
/// <param name="Entries">Live entries in key order, in memory that the receiver owns.</param>
/// <param name="Revision">Applied index of the state that was read.</param>
public sealed record ScanResult(IReadOnlyList<KeyValueEntry> Entries, ulong Revision)
{
    /// <summary>Compares the revisions and the entries.</summary>
    public bool Equals(ScanResult? other) =>
        other is not null && Revision == other.Revision && Entries.SequenceEqual(other.Entries);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Revision, Entries.Count);

    /// <summary>The number of entries and the revision, without bytes of the user's.</summary>
    /// <returns>For example <c>3 entries at revision 17</c>.</returns>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Entries.Count} entries at revision {Revision}");
}
