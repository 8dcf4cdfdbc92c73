using Varve.Memtables;
using Varve.Storage;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Recovery;

/// <summary>The parts of a database that an engine is built of, as an open recovered them.</summary>
/// <param name="DatabaseId">Its identity.</param>
/// <param name="Numbers">The next file number.</param>
/// <param name="Manifest">The manifest; ready for appends unless the open is read-only.</param>
/// <param name="Version">The first version; the caller's one reference.</param>
/// <param name="Wal">The log, at its end.</param>
/// <param name="Supply">Makes memtables.</param>
/// <param name="LeaseClock">The clock that the database's leases go by.</param>
/// <param name="Replay">What the log said.</param>
/// <param name="Durable">The last entry known to be durable.</param>
/// <param name="TornTailBytes">Bytes of records that were never durable and were dropped.</param>
internal sealed record RecoveredDatabase(
    Guid DatabaseId,
    FileNumbers Numbers,
    ManifestStore Manifest,
    DbVersion Version,
    WalWriter Wal,
    MemtableSupply Supply,
    LeaseClock LeaseClock,
    WalReplayer Replay,
    LogId Durable,
    long TornTailBytes) : IDisposable
{
    /// <summary>Ends the parts if no engine was built of them.</summary>
    public void Dispose()
    {
        Version.Release();
        Supply.Dispose();
        Manifest.Dispose();
    }
}
