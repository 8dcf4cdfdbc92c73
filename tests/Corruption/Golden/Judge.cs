using Varve.Background;
using Varve.Inspection;
using Varve.Storage;
using Varve.Tests.Shared.Disk;
using Varve.Wal;

namespace Varve.Tests.Corruption.Golden;

/// <summary>A finding: a state that must never occur, with its place.</summary>
internal sealed class FindingException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Judges a damaged copy of a golden database, on one thread.</summary>
internal sealed class Judge
{
    private readonly GoldenDatabase _golden;
    private readonly List<Region> _regions;
    private readonly SegmentMap _map;

    public Judge(GoldenDatabase golden)
    {
        _golden = golden;
        _regions = Regions.OfDatabase(golden);
        _map = SegmentMap.Of(golden.Disk, GoldenDatabase.Directory);
    }

    /// <summary>One flipped bit: the verdict must be the one that its region names.</summary>
    public Observation OfFlip(SimFs disk, Region region)
    {
        var seen = StateReader.Read(disk, _golden);
        if (seen.Verdict == Verdict.Harmless && region.File == "table")
            seen = seen with { Verdict = VerifyTable(disk, region.Path) };
        if (region.Name == Regions.ManifestEdit)
            return Require(seen.Verdict is not (Verdict.Read or Verdict.Verify), seen);
        if (region.Expected == Verdict.Gap)
        {
            // The last records may be markers, which carry no data: losing them changes no state.
            Require(seen.Verdict is Verdict.Gap or Verdict.Harmless && seen.Index == region.IndexBefore, seen);
            return seen with { Verdict = Verdict.Gap };
        }

        Require(seen.Verdict == region.Expected, seen);
        return seen.Verdict is Verdict.Open or Verdict.Read ? Require(IsNamed(seen.Path, region), seen) : seen;
    }

    /// <summary>
    /// Damage that changes bytes but no length. The expected verdict follows from the regions that changed and from the
    /// records that still prove others durable.
    /// </summary>
    public Observation OfDamage(SimFs disk)
    {
        var changed = _regions.Where(region => !disk.Span(region.Path)[(int)region.Begin..(int)region.End]
            .SequenceEqual(_golden.Disk.Span(region.Path)[(int)region.Begin..(int)region.End])).ToList();
        var edits = _regions.Where(IsEdit).ToList();
        var firstEdit = edits.FindIndex(changed.Contains);
        var isRefused = changed.Any(region => region.Expected == Verdict.Open && !IsEdit(region) && !IsRecord(region))
            || firstEdit == 0 || (firstEdit > 0 && !edits[firstEdit..].All(changed.Contains));
        return OfLoss(
            disk, isRefused, isUnsure: firstEdit > 0, changed.Any(
                region => region.Expected == Verdict.Read), changed.Find(region => region.Expected == Verdict.Verify),
            record => changed.Exists(region => region.Path == record.Path && region.Begin == record.Header.Offset));
    }

    /// <summary>A whole file that is not there.</summary>
    public Observation OfMissing(SimFs disk, string path) => OfLoss(
        disk, !_map.Stale.Contains(path) && !_map.Ready.Contains(path), isUnsure: false, isReadRefused: false, null,
        record => record.Path == path);

    /// <summary>A file of the wrong length: refused, unless the database does not need it.</summary>
    public Observation OfLength(SimFs disk, string path, bool isLonger)
    {
        var isNeeded = !_map.Stale.Contains(path)
            && !(isLonger && path.EndsWith(FileNames.ManifestSuffix, StringComparison.Ordinal));
        return OfLoss(disk, isNeeded, isUnsure: false, isReadRefused: false, null, _ => false);
    }

    public bool IsStale(string path) => _map.Stale.Contains(path);

    /// <summary>Files that cannot be what their names say.</summary>
    public Observation OfStrangers(SimFs disk, params ReadOnlySpan<string> paths)
    {
        var isNeeded = false;
        foreach (var path in paths) isNeeded |= !_map.Stale.Contains(path);
        return OfLoss(disk, isNeeded, isUnsure: false, isReadRefused: false, null, _ => false);
    }

    private Observation OfLoss(
        SimFs disk, bool isRefused, bool isUnsure, bool isReadRefused, Region? unread, Predicate<LogRecord> isLost)
    {
        var seen = StateReader.Read(disk, _golden, isThorough: false);
        var lost = _map.Records.Find(isLost);
        if (lost is not null)
        {
            var vouched = default(LogOffset);
            foreach (var record in _map.Records)
            {
                var known = new LogOffset(record.Header.SyncedSegment, record.Header.SyncedOffset);
                if (!isLost(record) && known > vouched) vouched = known;
            }

            isRefused |= lost == _map.Records[0] || vouched > new LogOffset(lost.Segment, lost.Header.Offset);
        }

        if (isRefused) return Require(seen.Verdict == Verdict.Open, seen);
        // Later edits are lost: the files that they drop are gone, or still there, and then the state is exact.
        if (isUnsure) return seen;
        if (isReadRefused) return Require(seen.Verdict == Verdict.Read, seen);
        Require(seen.Path is null && seen.Index == (lost?.IndexBefore ?? _golden.Log.Last.Index), seen);
        if (lost is not null) return seen with { Verdict = Verdict.Gap };
        return unread is null
            ? seen
            : Require(VerifyTable(disk, unread.Path) == Verdict.Verify, seen) with { Verdict = Verdict.Verify };
    }

    private static bool IsEdit(Region region) => region.File == "manifest"
        && region.Name.EndsWith("edit", StringComparison.Ordinal) && region.Expected != Verdict.Harmless;

    private static bool IsRecord(Region region) => region.File == "segment"
        && region.Name.Contains(" record", StringComparison.Ordinal) && region.Expected != Verdict.Harmless;

    /// <summary>
    /// A damaged database whose state is exact must also go on from it: opened for writing, applied to, compacted,
    /// opened again.
    /// </summary>
    public void AssertWorkContinues(SimFs damaged, ulong index)
    {
        using var disk = damaged.Copy(damaged.Mappings);
        var expected = _golden.Log.At(index);
        var options = GoldenDatabase.Options;
        using (var machine = LsmStateMachine.Open(GoldenDatabase.Directory, options, new EngineSeams(disk)))
        {
            StateReader.Compare(machine, expected, _golden.Log.Universe);
            var (entries, outcomes) = _golden.Log.Latest(index, 10);
            var results = new ApplyResult[10];
            if (entries.Length > 0) machine.ApplyChunk(entries, results);
            for (var i = 0; i < entries.Length; i++)
                if (results[i] != new ApplyResult(entries[i].Index, outcomes[i]))
                    throw new WrongStateException($"entry {entries[i].Index} had another outcome");
            machine.ApplyChunk(GoldenLog.Continuation(expected), results);
            machine.CompactAsync().GetAwaiter().GetResult();
        }

        using var again = LsmStateMachine.Open(
            GoldenDatabase.Directory, options with { ReadOnly = true }, new EngineSeams(disk));
        StateReader.Compare(again, GoldenLog.Continued(expected), _golden.Log.Universe);
    }

    /// <summary>
    /// Verification must agree with the reads: it reports the damage that they found, and in tables also damage that
    /// they did not touch.
    /// </summary>
    public static void Verify(SimFs disk, string path, Verdict verdict)
    {
        var damages =
            Verification.Check(disk, path, deep: true).Where(problem => problem.Severity == Severity.Damage).ToList();
        var isDamaged = verdict is Verdict.Open or Verdict.Read or Verdict.Verify;
        if (isDamaged != (damages.Count > 0))
            throw new WrongStateException(
                $"verification of {path}: {verdict}, but {damages.Count} damages: {string.Join("; ", damages)}");
    }

    private static Verdict VerifyTable(SimFs disk, string path) =>
        Verification.Check(disk, GoldenDatabase.Directory, deep: true).Any(
            problem => problem.Severity == Severity.Damage && problem.File == path)
            ? Verdict.Verify
            : Verdict.Harmless;

    /// <summary>
    /// The file itself; for a record of the log, the segment where the log broke off, which for a damaged link is the
    /// one before.
    /// </summary>
    private bool IsNamed(string? path, Region region) =>
        path == region.Path || (region.Name.StartsWith("Link", StringComparison.Ordinal) && _map.Chain.Contains(path!));

    private static Observation Require(bool condition, Observation seen) =>
        condition ? seen : throw new WrongStateException($"{seen} is not what it must be");
}
