using Varve.Background;
using Varve.Storage;
using Varve.Wal;

namespace Varve.Inspection;

/// <summary>
/// Checks a database that an engine has open, at one applied index. The read-only open itself checks the manifest and
/// every record of the log, and keeps the opened files. Files that the engine creates meanwhile are not checked.
/// </summary>
internal static class LiveCheck
{
    public static void Run(IStorage storage, string directory, bool deep, Findings findings)
    {
        try
        {
            using var engine = LsmStateMachine.Open(
                directory, new EngineOptions { ReadOnly = true, TakesStoredLeaseClock = true },
                new EngineSeams(storage));
            var version = engine.AcquireVersion();
            try
            {
                var index = version.Generation.Applied.Read().Index;
                findings.Remark(
                    directory, 0, "lock", $"an engine has the database open; checked is the state at index {index}");
                foreach (var memtable in version.Memtables) Count(memtable.Segment, findings);
                foreach (var table in version.Runs.SelectMany(run => run.Tables))
                {
                    findings.Files++;
                    if (deep) TableCheck.FindDamage(table.Table, table.Path, table.Descriptor.Length, findings);
                }
            }
            finally
            {
                version.Release();
            }
        }
        catch (VarveException damage) when (damage is CorruptionException or UnsupportedFormatException)
        {
            findings.Report(damage);
        }
    }

    private static void Count(WalSegment segment, Findings findings)
    {
        findings.Files++;
        findings.Bytes += segment.End;
        var records = segment.Records();
        while (records.Next < segment.End && records.MoveNext()) findings.Count(records.Current.Header);
    }
}
