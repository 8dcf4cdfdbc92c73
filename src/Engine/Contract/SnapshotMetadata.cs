using System.Globalization;

namespace Varve;

/// <summary>Identifies a snapshot.</summary>
/// <param name="LastIncluded">The last entry whose effect the snapshot holds.</param>
/// <param name="Checksum">
/// SHA-256 of the snapshot's manifest, 32 bytes. The manifest has the hash of every other file. The engine copies the
/// bytes of metadata that a caller passes.
/// </param>
public sealed record SnapshotMetadata(LogId LastIncluded, ReadOnlyMemory<byte> Checksum)
{
    /// <summary>Compares the last included entry and the bytes of the checksum.</summary>
    public bool Equals(SnapshotMetadata? other) =>
        other is not null && LastIncluded == other.LastIncluded && Checksum.Span.SequenceEqual(other.Checksum.Span);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(LastIncluded);
        hash.AddBytes(Checksum.Span);
        return hash.ToHashCode();
    }

    /// <summary>The last included entry, and the checksum in hexadecimal.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"index {LastIncluded.Index}, term {LastIncluded.Term}, checksum {Convert.ToHexStringLower(Checksum.Span)}");
}
