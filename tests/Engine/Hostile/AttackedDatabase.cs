using Varve.Background;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Hostile;

/// <summary>
/// A database with a state of its own, to which hostile snapshots are offered. Whatever comes: a documented refusal,
/// the old state, nothing touched outside the snapshot and the database, nothing left behind.
/// </summary>
internal sealed class AttackedDatabase : IDisposable
{
    private readonly Database _database = new();
    private readonly FaultInjector _recorder;
    private readonly HashSet<string> _offered = [];
    private LsmStateMachine _machine;
    private ulong _applied = 40;

    public AttackedDatabase()
    {
        _recorder = new FaultInjector(Storages.Default) { KeepsPaths = true };
        Storage = new FaultInjector(_recorder);
        _machine = Open();
        NumberedLog.ApplyUpTo(_machine, _applied);
    }

    public FaultInjector Storage { get; }

    public LsmStateMachine Machine => _machine;

    public string PathOf(string name) => _database.PathOf(name);

    /// <summary>Offers a snapshot that must be refused.</summary>
    public async Task<VarveException> RefusesAsync(SnapshotMetadata metadata, string path, string what)
    {
        var failure = await Record.ExceptionAsync(() => _machine.ApplySnapshotFromFileAsync(metadata, path));
        Assert.True(IsRefusal(failure), $"{what}: {failure?.ToString() ?? "accepted"}");
        Assert.Equal(_applied, _machine.LastApplied.Index);
        Assert.Equal(_applied, NumberedLog.AssertIsWhole(_machine));
        Assert.Null(_machine.SnapshotMetadata);
        AssertNothingOutside(path);
        return (VarveException)failure!;
    }

    /// <summary>
    /// Offers a snapshot that may be refused or accepted; true if it was accepted, and then the state is whole.
    /// </summary>
    public async Task<bool> RefusesOrIsWholeAsync(SnapshotMetadata metadata, string path, string what)
    {
        var failure = await Record.ExceptionAsync(() => _machine.ApplySnapshotFromFileAsync(metadata, path));
        Assert.True(failure is null || IsRefusal(failure), $"{what}: {failure}");
        Assert.Equal(failure is null ? metadata.LastIncluded.Index : _applied, NumberedLog.AssertIsWhole(_machine));
        AssertNothingOutside(path);
        return failure is null;
    }

    /// <summary>Hostile bytes behind right checksums may be rejected, or be taken for another build's.</summary>
    public static bool IsRefusal(Exception? failure) =>
        failure is SnapshotRejectedException or UnsupportedFormatException;

    /// <summary>
    /// Asserts that the state is the same after a reopen, that the database accepts entries, and that no file of the
    /// snapshots is left.
    /// </summary>
    public void SurvivesReopening()
    {
        _machine.Dispose();
        _machine = Open();
        Assert.Equal(_applied, NumberedLog.AssertIsWhole(_machine));
        Assert.Empty(Directory.GetDirectories(_database.Directory));
        Assert.Empty(_database.Files(FileNames.TableSuffix));
        // The pool makes segments.
        Assert.DoesNotContain(
            _database.Files(FileNames.TemporarySuffix),
            path => !path.Contains(FileNames.SegmentSuffix, StringComparison.Ordinal));
        NumberedLog.ApplyUpTo(_machine, _applied += 5);
        Assert.Equal(_applied, NumberedLog.AssertIsWhole(_machine));
    }

    public void Dispose()
    {
        _machine.Dispose();
        _database.Dispose();
    }

    private LsmStateMachine Open() => _database.Open(Database.Small, new EngineSeams(Storage));

    private void AssertNothingOutside(string snapshot)
    {
        _offered.Add(snapshot);
        string[] allowed = [_database.Directory, .. _offered];
        foreach (var path in _recorder.Paths)
            Assert.True(path == _database.Root || allowed.Any(root =>
                path == root || path.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal)), path);
        Assert.Equal(0, _recorder.Links);
    }

}
