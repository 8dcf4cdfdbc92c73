using System.Globalization;

namespace Varve;

/// <summary>A table of a snapshot, which is a file of its directory.</summary>
/// <param name="Name">The name in the snapshot's directory, without a path.</param>
/// <param name="Length">The length in bytes.</param>
/// <param name="Hash">XXH128 of the file's bytes: 16 bytes, the most significant first.</param>
public sealed record SnapshotFile(string Name, long Length, ReadOnlyMemory<byte> Hash)
{
    /// <summary>Compares name, length and the bytes of the hash.</summary>
    public bool Equals(SnapshotFile? other) =>
        other is not null && Name == other.Name && Length == other.Length && Hash.Span.SequenceEqual(other.Hash.Span);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Name);
        hash.AddBytes(Hash.Span);
        return hash.ToHashCode();
    }

    /// <summary>The name and the length.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name}, {Length} bytes");
}
