namespace Varve;

// What a read-only engine does to see what its writer has done since.
public sealed partial class LsmStateMachine
{
    private readonly Lock _catchingUp = new();

    /// <summary>
    /// Moves a read-only engine to the present state of the directory, whatever the writer did meanwhile. Until the next call it shows exactly
    /// that state. Views that are open keep theirs, and reads on other threads do not wait. Costs by what was written since; where the writer has
    /// meanwhile flushed what this engine had not read yet, or has installed a snapshot or was reset, what an open costs but for tables
    /// that are open already. Any thread; calls follow one another.
    /// </summary>
    /// <returns>True if the engine shows another state now; false where there is nothing new.</returns>
    /// <exception cref="InvalidOperationException">The engine is the writer, or is stopped.</exception>
    /// <exception cref="CorruptionException">A file is damaged; the engine goes on to show a state of one applied index.</exception>
    public bool TryCatchUp()
    {
        if (_follower is not { } follower) throw new InvalidOperationException("Only a read-only engine catches up with its writer; this engine is the writer.");
        lock (_catchingUp)
        {
            _state.EnsureReadable();
            var hasMoved = follower.CatchUp();
            using (_versions.EnterGate())
            {
                _snapshots.RestartLocked(follower.Replay.Snapshot);
                Volatile.Write(ref _cleanedTime, follower.Replay.CleanedTimeMs);
                _clock.Raise(Math.Max(follower.Replay.Position.LocalTimeMs, _options.LeaseClock == LeaseClock.Local ? _cleanedTime : 0)); // as an open does
                _syncer.RestartLocked(follower.Durable);
            }

            return hasMoved;
        }
    }
}
