using Varve.Background;
using Varve.Runtime;
using Varve.Snapshots;

namespace Varve;

/// <summary>
/// A snapshot that is ready to be installed: its tables are copied into the database's directory, verified, synced and
/// open. The engine's state is unchanged until <see cref="Install"/>, which costs one manifest record. Any thread.
/// </summary>
/// <remarks>
/// It belongs to the engine that staged it. Disposing it before the install deletes the copies, closing the engine does
/// so too, and an open after a crash sweeps them. Several may be staged at once.
/// </remarks>
public sealed class StagedSnapshot : IAsyncDisposable, IDisposable
{
    private const int Staged = 0;
    private const int Installing = 1;
    private const int InstallingDisposed = 2; // disposed meanwhile: a failed install deletes the copies
    private const int Ended = 3;

    private readonly StagedState _state;
    private readonly StateReplacement _replacement;
    private readonly LongRunningTasks _tasks;
    private readonly EngineClock _clock;
    private int _phase;
    private bool _isInstalled;

    internal StagedSnapshot(
        StagedState state, StateReplacement replacement, LongRunningTasks tasks, EngineClock clock) =>
        (_state, _replacement, _tasks, _clock) = (state, replacement, tasks, clock);

    /// <summary>The last included entry and the checksum.</summary>
    public SnapshotMetadata Metadata => _state.Metadata;

    /// <summary>
    /// Replaces the engine's state by the snapshot, in one manifest record. Readers continue with the old state until
    /// then; views keep it. Appliers wait for as long as the record takes to be synced.
    /// </summary>
    /// <exception cref="SnapshotRejectedException">The engine has applied entries behind the snapshot's last one since
    /// it was staged. The snapshot stays staged, and can be installed after a reset.</exception>
    /// <exception cref="StorageFullException">There is no room; the engine keeps the old state, and the snapshot stays
    /// staged.</exception>
    /// <exception cref="EngineFaultedException">An earlier failure is latched, or this one: an open tells which state
    /// the manifest names.</exception>
    /// <exception cref="InvalidOperationException">It is installed already, is being installed, or the engine is
    /// stopped.</exception>
    /// <exception cref="ObjectDisposedException">It is disposed, or the engine is closed.</exception>
    public void Install()
    {
        _clock.ReadLocalIfUsed(); // the user's clock: before any lock
        _tasks.RunHere(InstallHere);
    }

    /// <summary>Deletes the copies, unless they are installed. May be called more than once.</summary>
    /// <remarks>If the engine is being closed, the close deletes them.</remarks>
    public void Dispose() => _tasks.TryRunHere(() =>
    {
        if (Interlocked.CompareExchange(ref _phase, InstallingDisposed, Installing) != Installing) DeleteCopies();
    });

    /// <summary>Deletes the copies as <see cref="Dispose"/> does, on a thread of the pool.</summary>
    public ValueTask DisposeAsync() =>
        Volatile.Read(ref _phase) == Ended ? ValueTask.CompletedTask : new ValueTask(Task.Run(Dispose));

    /// <summary>
    /// Deletes the copies of a staged snapshot. Called by a task or by the close, which waits for tasks, since another
    /// engine may use the directory, and the copies' file numbers, after the close.
    /// </summary>
    internal void DeleteCopies()
    {
        if (Interlocked.CompareExchange(ref _phase, Ended, Staged) == Staged) DeleteEnded();
    }

    private void InstallHere()
    {
        switch (Interlocked.CompareExchange(ref _phase, Installing, Staged))
        {
            case Installing or InstallingDisposed:
                throw new InvalidOperationException("The staged snapshot is being installed by another call.");
            case Ended:
                if (Volatile.Read(ref _isInstalled))
                    throw new InvalidOperationException("The staged snapshot is installed already.");
                throw new ObjectDisposedException(nameof(StagedSnapshot));
        }

        try
        {
            _replacement.InstallStaged(_state);
        }
        catch (EngineFaultedException)
        {
            EndKeepingFiles(); // the manifest may name the tables: the next open keeps or deletes them
            throw;
        }
        catch
        {
            if (Interlocked.CompareExchange(ref _phase, Staged, Installing) == InstallingDisposed) DeleteEnded();
            throw;
        }

        Volatile.Write(ref _isInstalled, true);
        EndKeepingFiles();
    }

    private void DeleteEnded()
    {
        Volatile.Write(ref _phase, Ended);
        _state.Delete();
        _tasks.Remove(DeleteCopies);
    }

    private void EndKeepingFiles()
    {
        Volatile.Write(ref _phase, Ended);
        SnapshotInstaller.Release(_state.Tables);
        _tasks.Remove(DeleteCopies);
    }
}
