using System.Security.Cryptography;
using Varve.Format;
using Varve.Tests.Engine.Recovery;

namespace Varve.Tests.Engine.Hostile;

/// <summary>A snapshot of <see cref="NumberedLog"/> with several tables, to be spoilt in copies.</summary>
public sealed class SoundSnapshot : IDisposable
{
    internal const ulong Last = 1500;

    private readonly Database _database = new();
    private int _copies;

    public SoundSnapshot()
    {
        using var machine = _database.Open();
        NumberedLog.ApplyUpTo(machine, 400);
        machine.CompactAsync().GetAwaiter().GetResult();
        NumberedLog.ApplyUpTo(machine, Last);
        Path = System.IO.Path.Combine(_database.Root, "sound");
        var checksum = machine.GenerateSnapshotDataAsync(Path, NumberedLog.Id(Last)).GetAwaiter().GetResult();
        Metadata = new SnapshotMetadata(NumberedLog.Id(Last), checksum);
        ManifestBytes = File.ReadAllBytes(System.IO.Path.Combine(Path, SnapshotNames.Manifest));
        if (!SnapshotManifestCodec.TryDecode(ManifestBytes, out var manifest, out var error))
            throw new InvalidOperationException(error.Reason);
        Manifest = manifest;
    }

    public string Path { get; }

    public SnapshotMetadata Metadata { get; }

    internal SnapshotManifest Manifest { get; }

    internal byte[] ManifestBytes { get; }

    /// <summary>A copy of its directory, to be spoilt.</summary>
    public string Copy()
    {
        var copy = Directory.CreateDirectory(
            System.IO.Path.Combine(_database.Root, $"copy-{Interlocked.Increment(ref _copies)}")).FullName;
        foreach (var file in Directory.GetFiles(Path))
            File.Copy(file, System.IO.Path.Combine(copy, System.IO.Path.GetFileName(file)));
        return copy;
    }

    internal static string TablePath(string directory, TableDescriptor table) =>
        System.IO.Path.Combine(directory, SnapshotNames.Table(table));

    /// <summary>Puts a manifest of any bytes into a copy, and announces it: the enemy has the leader's voice.</summary>
    internal static SnapshotMetadata Put(string directory, byte[] manifestFile, LogId? at = null)
    {
        File.WriteAllBytes(System.IO.Path.Combine(directory, SnapshotNames.Manifest), manifestFile);
        return Announce(manifestFile, at);
    }

    internal static SnapshotMetadata Announce(byte[] manifestFile, LogId? at = null) =>
        new(at ?? NumberedLog.Id(Last), SHA256.HashData(manifestFile));

    public void Dispose() => _database.Dispose();
}
