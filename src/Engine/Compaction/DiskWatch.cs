using Varve.Runtime;
using Varve.Versions;

namespace Varve.Compaction;

/// <summary>
/// Looks at the free space of the database's volume after background work, and logs when it falls below
/// <see cref="EngineOptions.LowDiskBytes"/> and when it is above again. One thread at a time.
/// </summary>
internal sealed class DiskWatch(EngineContext engine, VersionSet versions)
{
    private bool _isLow;

    public void Look()
    {
        var bound = engine.Options.LowDiskBytes;
        if (bound == 0 || versions.Storage.SpaceLeft(versions.Directory) is not { } free) return;
        if (free < bound == _isLow) return;
        _isLow = !_isLow;
        var directory = versions.Directory;
        if (_isLow) engine.Log.Post(logger => Log.DiskIsLow(logger, directory, free, bound));
        else engine.Log.Post(logger => Log.DiskHasRoom(logger, directory, free));
    }
}
