using Varve.Format;

namespace Varve.Snapshots;

/// <summary>
/// A snapshot whose tables are in the database's directory: copied, verified, synced and open, but named by nothing.
/// </summary>
/// <param name="Stager">Deletes the tables if they are not installed.</param>
/// <param name="Tables">The tables, with a reference to each.</param>
/// <param name="State">The state that the snapshot replaces the present one by.</param>
/// <param name="Metadata">Position and checksum.</param>
/// <param name="Path">Path of the snapshot that it was copied from.</param>
internal sealed record StagedState(
    SnapshotInstaller Stager, SnapshotInstaller.Staged Tables, MachineState State, SnapshotMetadata Metadata,
    string Path)
{
    /// <summary>Deletes the tables that no version took.</summary>
    public void Delete() => Stager.DeleteStaged(Tables);
}
