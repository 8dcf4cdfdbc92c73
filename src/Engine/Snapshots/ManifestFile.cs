using System.Security.Cryptography;
using Varve.Format;

namespace Varve.Snapshots;

/// <summary>The manifest of a snapshot: the bytes of its file, and what they say.</summary>
/// <param name="Bytes">The bytes, as in a snapshot's directory.</param>
/// <param name="Manifest">The manifest that they encode.</param>
/// <param name="IsPacked">Whether it was read from a packed snapshot.</param>
internal sealed record ManifestFile(byte[] Bytes, SnapshotManifest Manifest, bool IsPacked)
{
    /// <summary>The position that the manifest states, and the checksum of its bytes.</summary>
    public SnapshotMetadata Metadata =>
        new(new LogId(Manifest.State.LastIndex, Manifest.State.LastTerm), SHA256.HashData(Bytes));
}
