using Varve.Format;
using Varve.LiveKeys;
using Varve.Memory;
using Varve.Storage;
using Varve.Tables;
using Varve.Versions;

namespace Varve.Snapshots;

/// <summary>
/// Adapts staged tables to the local clock of the installing machine, which never moves for a snapshot.
/// <para>
/// The clock of the machine that made the snapshot may be ahead: leases that it has reported as expired may be live by
/// the local clock. A run of tombstones above the snapshot's runs hides them. Their number depends on the distance of
/// the clocks, not on the size of the state. The obvious design moves the local clock forward, and loses: after a
/// snapshot of a machine with a wrong clock no lease would expire here until the time of that clock.
/// </para>
/// </summary>
internal sealed class LeaseAdoption(VersionSet versions, EngineOptions options)
{
    /// <summary>
    /// Returns the state with its live keys counted at the local time. Adds a run to the staged ones if reported leases
    /// would be live.
    /// </summary>
    /// <param name="state">The state of the snapshot.</param>
    /// <param name="timeMs">The local time, in Unix milliseconds.</param>
    /// <param name="staged">The staged tables; replaced if a run is added.</param>
    public MachineState Adopt(MachineState state, ulong timeMs, ref SnapshotInstaller.Staged staged)
    {
        if (timeMs < state.CleanedTimeMs)
        {
            // The count leaves out all reported leases, before some of them are hidden.
            state =
                StateCounts.CountedAt(staged.Runs, state, Math.Max(state.CountedTimeMs, state.CleanedTimeMs)) with
                {
                    CleanedTimeMs = timeMs
                };
            var reported = new SortedSet<byte[]>(KeyComparer.Instance);
            ExpiredLeases.VisitRuns(
                staged.Runs, staged.Manifest.State.HashSeed, timeMs, staged.Manifest.State.CleanedTimeMs,
                (key, _) => reported.Add(key));
            if (reported.Count > 0) staged = Hide(reported, staged);
        }

        return StateCounts.CountedAt(staged.Runs, state, timeMs);
    }

    private SnapshotInstaller.Staged Hide(SortedSet<byte[]> keys, SnapshotInstaller.Staged staged)
    {
        using var batch = new TableSetWriter(
            versions.Storage, versions.Directory, versions.DatabaseId, versions.Numbers, staged.Manifest.State.HashSeed,
            options, options.TableBytes);
        foreach (var key in keys) batch.Add(key, RecordKind.Tombstone, 0, []);
        var tables = TableHandle.OpenAll(
            versions.Storage, batch.Finish(descriptor => FileNames.Table(descriptor.Number)), options);
        var order = staged.Runs[0].Order + 1;
        return staged with
        {
            Tables = [.. tables.Select(table => new AddedTable(order, table.Descriptor)), .. staged.Tables],
            Runs = [new Run(order, [.. tables]), .. staged.Runs],
        };
    }
}
