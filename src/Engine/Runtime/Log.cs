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
}
