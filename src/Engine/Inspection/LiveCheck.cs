using Varve.Background;
using Varve.Storage;
using Varve.Wal;

namespace Varve.Inspection;

/// <summary>
/// Checks a database while an engine has it open, as of one applied index of it: a read-only open checks the manifest
/// and every record of the log on its way, and holds the files of what it opened. What the engine makes meanwhile is
/// left to the next check.
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
                findings.Remark(
                    directory, 0, "lock",
                    $"an engine is at work; checked is the state of index {version.Generation.Applied.Read().Index}");
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
