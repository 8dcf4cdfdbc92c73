using Microsoft.Extensions.Logging;

namespace Varve.Runtime;

/// <summary>The engine's log events. Event ids are stable.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Opened {Directory} at index {Index}, term {Term}: "
        + "{Entries} entries from the log, {Torn} bytes of torn tail dropped")]
    public static partial void Opened(
        ILogger logger, string directory, ulong index, ulong term, long entries, long torn);

    [LoggerMessage(2, LogLevel.Information, "Closed {Directory} at index {Index}")]
    public static partial void Closed(ILogger logger, string directory, ulong index);

    [LoggerMessage(3, LogLevel.Critical, "The engine stops accepting work after a failure")]
    public static partial void Faulted(ILogger logger, Exception failure);

    [LoggerMessage(4, LogLevel.Information, "Made a snapshot at index {Index} in {Directory}: {Tables} tables")]
    public static partial void SnapshotMade(ILogger logger, ulong index, string directory, int tables);

    [LoggerMessage(5, LogLevel.Information, "Installed a snapshot at index {Index} from {Path}")]
    public static partial void SnapshotInstalled(ILogger logger, ulong index, string path);

    [LoggerMessage(6, LogLevel.Information, "Reset to an empty state")]
    public static partial void WasReset(ILogger logger);

    [LoggerMessage(7, LogLevel.Debug, "Flushed a memtable up to index {Index}")]
    public static partial void Flushed(ILogger logger, ulong index);

    [LoggerMessage(8, LogLevel.Warning, "Leases are written under the lease clock Log, and no entry has had a "
        + "timestamp yet (ApplyEntry.TimestampMs): until one has, no lease expires")]
    public static partial void LeaseWithoutTime(ILogger logger);

    [LoggerMessage(9, LogLevel.Debug, "Merged {Runs} runs of {BytesIn} bytes into one of {BytesOut} bytes, level "
        + "{Level}, in {Seconds:F3} s")]
    public static partial void Compacted(
        ILogger logger, int runs, long bytesIn, long bytesOut, string level, double seconds);

    [LoggerMessage(10, LogLevel.Warning, "An apply waited {Seconds:F3} s, reason {Reason}; {Memtables} memtables wait "
        + "for their flush")]
    public static partial void Stalled(ILogger logger, double seconds, string reason, int memtables);

    [LoggerMessage(11, LogLevel.Warning, "A sync of the log took {Seconds:F3} s")]
    public static partial void SyncWasSlow(ILogger logger, double seconds);

    [LoggerMessage(12, LogLevel.Warning, "The volume of {Directory} has {Free} bytes free, fewer than {Bound}")]
    public static partial void DiskIsLow(ILogger logger, string directory, long free, long bound);

    [LoggerMessage(13, LogLevel.Information, "The volume of {Directory} has {Free} bytes free again")]
    public static partial void DiskHasRoom(ILogger logger, string directory, long free);

    [LoggerMessage(14, LogLevel.Debug, "A clean-up reported {Keys} expired leases")]
    public static partial void LeasesCleaned(ILogger logger, int keys);

    [LoggerMessage(15, LogLevel.Warning, "The snapshot at index {Index} in {Directory} failed")]
    public static partial void SnapshotFailed(ILogger logger, Exception failure, ulong index, string directory);

    [LoggerMessage(16, LogLevel.Warning, "The install of the snapshot at index {Index} from {Path} failed; the state "
        + "is as it was")]
    public static partial void InstallFailed(ILogger logger, Exception failure, ulong index, string path);

    [LoggerMessage(17, LogLevel.Warning, "Flushes and compactions met a shortage and will be tried again")]
    public static partial void BackgroundIsShort(ILogger logger, Exception shortage);

    [LoggerMessage(18, LogLevel.Error, "The open of {Directory} failed")]
    public static partial void OpenFailed(ILogger logger, Exception failure, string directory);
}
