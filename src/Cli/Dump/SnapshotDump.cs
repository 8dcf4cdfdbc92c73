using System.Security.Cryptography;
using Varve.Snapshots;

namespace Varve.Cli.Dump;

/// <summary>Dumps a snapshot's manifest: the state, and the tables, newest run first.</summary>
internal static class SnapshotDump
{
    public static void Write(ManifestFile snapshot, DumpWriter writer)
    {
        var manifest = snapshot.Manifest;
        writer.Line(
            0,
            $"snapshot of database {manifest.DatabaseId}, "
                + $"{(snapshot.IsPacked ? "packed" : "a directory")}, manifest of {snapshot.Bytes.Length} bytes, "
                + $"{nameof(SHA256)} {Convert.ToHexStringLower(snapshot.Metadata.Checksum.Span)}");
        writer.Line(0, StateText.Describe(manifest.State));
        foreach (var table in manifest.Tables) writer.Line(0, StateText.Describe(table));
    }
}
