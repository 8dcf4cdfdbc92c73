using Varve.Format;
using Varve.LiveKeys;
using Varve.Memory;
using Varve.Storage;
using Varve.Tables;
using Varve.Versions;

namespace Varve.Snapshots;

/// <summary>
/// Makes staged tables right by the local clock of the machine that installs them, which is never moved for that.
/// <para>
/// The clock of the machine that made the snapshot may be ahead: of what it reported as expired, some may be live by
/// the local clock. A run of tombstones above the snapshot's runs hides those leases; how many they are depends on how
/// far the clocks are apart, not on what exists. Moving the local clock forward is the obvious way, and lost: a
/// snapshot of a machine with a wrong clock would have no lease expire here until the time of that clock.
/// </para>
/// </summary>
internal sealed class LeaseAdoption(VersionSet versions, EngineOptions options)
{
    /// <summary>
    /// Gives the state counted at the local time; adds a run to what is staged if reported leases would be live.
    /// </summary>
    /// <param name="state">The snapshot's.</param>
    /// <param name="timeMs">The local time.</param>
    /// <param name="staged">What was staged.</param>
    public MachineState Adopt(MachineState state, ulong timeMs, ref SnapshotInstaller.Staged staged)
    {
        if (timeMs < state.CleanedTimeMs)
        {
            // Counted without all that was reported, before some of it is hidden.
            state =
                LiveKeyCounter.CountedAt(staged.Runs, state, Math.Max(state.CountedTimeMs, state.CleanedTimeMs)) with
                {
                    CleanedTimeMs = timeMs
                };
            var reported = new SortedSet<byte[]>(KeyComparer.Instance);
            LiveKeyCounter.ExpiredInRuns(
                staged.Runs, staged.Manifest.State.HashSeed, timeMs, staged.Manifest.State.CleanedTimeMs,
                (key, _) => reported.Add(key));
            if (reported.Count > 0) staged = Hide(reported, staged);
        }

        return LiveKeyCounter.CountedAt(staged.Runs, state, timeMs);
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
