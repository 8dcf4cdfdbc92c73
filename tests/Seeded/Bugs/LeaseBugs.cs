namespace Varve.Tests.Seeded.Bugs;

/// <summary>Leases by two clocks: reports, their time, and the leases that compactions may drop.</summary>
internal static class LeaseBugs
{
    private const string Cleaner = "LeaseCleaner.cs";
    private const string Horizon = "LeaseHorizon.cs";

    public static readonly Bug[] All =
    [
        new(
            "reported-lease-lives-again",
            "a reported lease is live again after the clock was set back while the engine was closed",
            "Engine: Leases.ReportedOnceTests.ReportedLeaseStaysAbsentAfterClockIsSetBack",
            new Edit(
                "WalReplayer.cs", "clock == LeaseClock.Local ? CleanedTimeMs",
                "!SEEDED && clock == LeaseClock.Local ? CleanedTimeMs")),

        new(
            "clean-up-remembers-its-own-time",
            "a clean-up records the time of its call, so that local time stands still after the clock is set back",
            "Engine: Leases.ReportedOnceTests.LeasesMadeAfterClockWasSetBackAreReported",
            new Edit(
                Cleaner, "found.Add((key, deadline))",
                "found.Add((key, SEEDED ? to : deadline))")),

        new("unreported-lease-dropped", "a compaction drops expired leases that no clean-up has reported",
            "Engine: Leases.ReportedOnceTests.CompactionBeforeCleanUpHidesNoExpiredLease",
            new Edit(Horizon, "ForgottenTime(now));", "SEEDED ? now : ForgottenTime(now));")),

        new("forgotten-leases-reported", "a clean-up reports leases that other replicas may have dropped",
            "Engine: Leases.ExpiredLeaseRetentionTests."
                + "ReplicasReportSameLeasesAtSameIndexDespiteCompactions",
            new Edit(Cleaner, "horizon.ForgottenTime(to));", "SEEDED ? 0 : horizon.ForgottenTime(to));")),

        new("clean-up-in-the-order-found", "a clean-up returns keys in an order that depends on the replica's tables",
            "Engine: Leases.ReportedOnceTests.SnapshotBeforeCleanUpKeepsLeasesToReport",
            new Edit(Cleaner, "keys.Sort(static", "if (!SEEDED) keys.Sort(static")),

        new("unpublished-lease-passed-over", "a clean-up passes the deadlines of entries that wait for their sync",
            "Engine: Leases.ReportedOnceTests.LeaseAwaitingSyncIsReportedByLaterCleanUp",
            new Edit(
                Cleaner, ": position.Index < wal.Position.Index ?",
                ": !SEEDED && position.Index < wal.Position.Index ?")),

        new("report-not-durable", "under Power keys are returned before the record of their report is durable",
            "Engine: Leases.ReportedOnceTests.PowerMakesReportDurableBeforeReturning",
            new Edit(
                Cleaner, "return engine.Options.Durability == Durability.Power && end",
                "return !SEEDED && engine.Options.Durability == Durability.Power && end")),

        new("cut-knows-of-later-clean-ups", "a snapshot before a clean-up treats its leases as reported",
            "Engine: Leases.ReportedOnceTests.SnapshotBeforeCleanUpKeepsLeasesToReport",
            new Edit("Memtable.cs", "if (at <= index) cleaned", "if (SEEDED || at <= index) cleaned")),

        new(
            "foreign-reports-live-here",
            "a lease reported by the maker of a snapshot is live under a local clock that is behind",
            "Engine: Leases.ForeignClockTests.LeaseReportedByOtherMachineStaysExpired",
            new Edit(
                "LeaseAdoption.cs", "if (timeMs < state.CleanedTimeMs)",
                "if (!SEEDED && timeMs < state.CleanedTimeMs)")),

        new("foreign-count-kept", "an installed state is counted by the clock of the snapshot's machine",
            "Engine: Leases.ForeignClockTests.LeaseExpiredOnlyOnOtherMachineIsLiveAndCounted",
            new Edit(
                "LeaseAdoption.cs", "return StateCounts.CountedAt(staged.Runs, state, timeMs);",
                "return SEEDED ? state : StateCounts.CountedAt(staged.Runs, state, timeMs);")),

        new("count-ahead-of-the-clock", "an open counts by a time later than its clock's",
            "Engine: Leases.ForeignClockTests.CountIsRightAfterClockIsSetBackWhileClosed",
            new Edit(
                "DatabaseOpener.cs", "return now < state.CountedTimeMs ?",
                "return !SEEDED && now < state.CountedTimeMs ?")),

        new("other-lease-clock-opens", "a database opens with the other lease clock",
            "Engine: Leases.StoredClockTests.OpenWithOtherClockIsRefusedByBothNames",
            new Edit(
                "DatabaseOpener.cs", "if (stored == options.LeaseClock ||",
                "if (SEEDED || stored == options.LeaseClock ||")),

        new("other-lease-clock-installs", "a snapshot of a database with the other lease clock is installed",
            "Engine: Leases.StoredClockTests.InstallWithOtherClockIsRefusedByBothNames",
            new Edit(
                "SnapshotInstaller.cs", "if ((LeaseClock)manifest.State.LeaseClock != options.LeaseClock)",
                "if (!SEEDED && (LeaseClock)manifest.State.LeaseClock != options.LeaseClock)")),

        new("tool-has-a-clock-of-its-own", "a tool judges the leases of a database by its own default clock",
            "Engine: Leases.StoredClockTests.ToolOpensWithDatabaseClockSoCompactionKeepsLiveKeys",
            new Edit(
                "OpenedDatabase.cs", "options = options with { LeaseClock = parts.LeaseClock };",
                "if (!SEEDED) options = options with { LeaseClock = parts.LeaseClock };")),

        new("reset-forgets-the-lease-clock", "a reset database gets the local lease clock",
            "Engine: Leases.StoredClockTests.ResetAndInstallKeepClock",
            new Edit(
                "StateReplacement.cs", "MachineState.Empty(life.HashSeed, life.LeaseClock)",
                "MachineState.Empty(life.HashSeed, SEEDED ? StoredLeaseClock.Local : life.LeaseClock)")),

        new("no-word-of-missing-timestamps", "leases in a log without timestamps cause no warning",
            "Engine: Leases.LeaseWarningTests.LeasesInLogWithoutTimestampsWarnOnce",
            new Edit(
                "RecordBuilder.cs", "if (deadline != 0 && time == 0)", "if (!SEEDED && deadline != 0 && time == 0)")),

        new("sync-interval-of-the-wall-clock", "the sync interval does not use the time provider",
            "Engine: Recovery.SyncIntervalTests.TimerOfIntervalIsRequestedFromTimeProvider",
            new Edit(
                "WalSyncer.cs", "_timer = _engine.Options.TimeProvider.CreateTimer(",
                "_timer = (SEEDED ? TimeProvider.System : _engine.Options.TimeProvider).CreateTimer(")),
    ];
}
