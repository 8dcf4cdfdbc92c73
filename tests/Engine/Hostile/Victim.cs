using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Hostile;

/// <summary>
/// A database with a state of its own, to which hostile snapshots are offered. Whatever comes: a documented refusal, the old state,
/// nothing touched outside the snapshot and the database, nothing left behind.
/// </summary>
internal sealed class Victim : IDisposable
{
    private readonly Database database = new();
    private readonly PathRecorder recorder;
    private readonly HashSet<string> offered = [];
    private LsmStateMachine machine;
    private ulong applied = 40;

    public Victim()
    {
        recorder = new PathRecorder(Storages.Default);
        Storage = new HookedStorage(recorder);
        machine = Open();
        NumberedLog.ApplyUpTo(machine, applied);
    }

    public HookedStorage Storage { get; }

    public LsmStateMachine Machine => machine;

    public string PathOf(string name) => database.PathOf(name);

    /// <summary>Offers what has to be refused.</summary>
    public async Task<VarveException> RefusesAsync(SnapshotMetadata metadata, string path, string what)
    {
        var failure = await Record.ExceptionAsync(() => machine.ApplySnapshotFromFileAsync(metadata, path));
        Assert.True(IsRefusal(failure), $"{what}: {failure?.ToString() ?? "accepted"}");
        Assert.Equal(applied, machine.LastApplied.Index);
        Assert.Equal(applied, NumberedLog.AssertIsWhole(machine));
        Assert.Null(machine.SnapshotMetadata);
        AssertNothingOutside(path);
        return (VarveException)failure!;
    }

    /// <summary>Offers what may be refused or be taken for what it is; true when it was taken, and then it is all that it should be.</summary>
    public async Task<bool> RefusesOrIsWholeAsync(SnapshotMetadata metadata, string path, string what)
    {
        var failure = await Record.ExceptionAsync(() => machine.ApplySnapshotFromFileAsync(metadata, path));
        Assert.True(failure is null || IsRefusal(failure), $"{what}: {failure}");
        Assert.Equal(failure is null ? metadata.LastIncluded.Index : applied, NumberedLog.AssertIsWhole(machine));
        AssertNothingOutside(path);
        return failure is null;
    }

    /// <summary>Hostile bytes behind right checksums may be rejected, or be taken for another build's.</summary>
    public static bool IsRefusal(Exception? failure) => failure is SnapshotRejectedException or UnsupportedFormatException;

    /// <summary>The state is the same when opened again, goes on, and of the snapshots nothing is left.</summary>
    public void SurvivesReopening()
    {
        machine.Dispose();
        machine = Open();
        Assert.Equal(applied, NumberedLog.AssertIsWhole(machine));
        Assert.Empty(Directory.GetDirectories(database.Directory));
        Assert.Empty(database.Files(FileNames.TableSuffix));
        Assert.DoesNotContain(database.Files(FileNames.TemporarySuffix), path => !path.Contains(FileNames.SegmentSuffix, StringComparison.Ordinal)); // the pool makes segments
        NumberedLog.ApplyUpTo(machine, applied += 5);
        Assert.Equal(applied, NumberedLog.AssertIsWhole(machine));
    }

    public void Dispose()
    {
        machine.Dispose();
        database.Dispose();
    }

    private LsmStateMachine Open() => database.Open(Database.Small with { Storage = Storage });

    private void AssertNothingOutside(string snapshot)
    {
        offered.Add(snapshot);
        string[] allowed = [database.Directory, .. offered];
        foreach (var path in recorder.Paths)
            Assert.True(path == database.Root || allowed.Any(root => path == root || path.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal)), path);
        Assert.Equal(0, recorder.Links);
    }

}
