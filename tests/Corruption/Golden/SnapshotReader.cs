using System.Security.Cryptography;
using Varve.Background;
using Varve.Format;
using Varve.Snapshots;
using Varve.Storage;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Corruption.Golden;

/// <summary>
/// Installs the golden snapshot from one disk into an empty machine, over and over; each refusal must leave the machine
/// as it was.
/// </summary>
internal sealed class SnapshotReader : IDisposable
{
    /// <summary>The golden snapshot's manifest.</summary>
    public static readonly string ManifestPath = Path.Combine(GoldenDatabase.SnapshotDirectory, SnapshotNames.Manifest);

    private const string Directory = "/golden/receiver";
    private readonly GoldenDatabase _golden;
    private readonly SimFs _disk;
    private readonly LsmStateMachine _machine;

    public SnapshotReader(GoldenDatabase golden, SimFs disk)
    {
        _golden = golden;
        _disk = disk;
        _machine = OpenEmpty();
    }

    public void Dispose() => _machine.Dispose();

    public Observation Read(bool isPacked)
    {
        try
        {
            _machine.ApplySnapshotFromFileAsync(
                _golden.Snapshot,
                isPacked ? GoldenDatabase.PackedSnapshot : GoldenDatabase.SnapshotDirectory).GetAwaiter().GetResult();
        }
        catch (SnapshotRejectedException e)
        {
            if (_machine.LastApplied != default || _machine.Count != 0)
                throw new WrongStateException("a refused snapshot left something behind");
            if (_disk.List(Directory).Any(
                name => FileNames.IsStaging(name) || name.EndsWith(FileNames.TableSuffix, StringComparison.Ordinal)))
                throw new WrongStateException("a refused snapshot left files behind");
            return new Observation(Verdict.Open, e.Path, 0);
        }

        StateReader.Compare(_machine, _golden.Log.At(_golden.Snapshot.LastIncluded.Index), _golden.Log.Universe);
        var index = _machine.LastApplied.Index;
        _machine.ResetAsync().GetAwaiter().GetResult();
        return new Observation(Verdict.Harmless, null, index);
    }

    /// <summary>
    /// True if the manifest decodes to the golden one. A compressed stream has bits without meaning: the snapshot's
    /// checksum then refuses it, and verification, which has no checksum, finds its content right.
    /// </summary>
    public bool SaysTheSame() =>
        SnapshotManifestCodec.TryDecode(
            SnapshotFiles.ReadManifestFile(_disk, GoldenDatabase.SnapshotDirectory), out var manifest, out _)
        && SHA256.HashData(SnapshotManifestCodec.Encode(manifest)).AsSpan().SequenceEqual(
            _golden.Snapshot.Checksum.Span);

    private LsmStateMachine OpenEmpty() => LsmStateMachine.Open(
        Directory, GoldenDatabase.Options with { MemtableBytes = 64 << 10, HistoryEntries = 0 },
        new EngineSeams(_disk));
}
