using Varve.Format;
using Varve.Versions;

namespace Varve.Compaction;

/// <summary>What the jobs need of the engine beside its versions.</summary>
internal interface ITableJobsHost
{
    /// <summary>Makes the log durable up to the end of a memtable that is about to be flushed.</summary>
    void SyncLog();

    /// <summary>The machine's state as of the end of a version's oldest memtable, which is sealed; under the gate.</summary>
    MachineState DescribeFlushedLocked(Versions.Version version, long liveCount, ulong countedTimeMs);

    /// <summary>Called under the gate when a flush has switched versions.</summary>
    void FlushedLocked(Versions.Version replaced, Versions.Version current, Memtable memtable);

    /// <summary>
    /// Lets go of the past that no cut needs any more: where there is no room, no flush does that, and its tables may be the room that is missing.
    /// </summary>
    void TrimHistory();

    /// <summary>The time up to which expired leases may be dropped from the bottom of a version.</summary>
    ulong DropTime(Versions.Version version);

    /// <summary>The engine is closing: abandon what can be done again.</summary>
    bool IsStopping { get; }

    /// <summary>Does a round here and now where there is no thread for it (<see cref="BackgroundSteps"/>); false where there is.</summary>
    bool TryStep();
}
