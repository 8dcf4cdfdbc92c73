namespace Varve.Tests.Seeded.Bugs;

/// <summary>Metrics, spans and events: wrong numbers, and listeners that reach into the engine.</summary>
internal static class DiagnosticsBugs
{
    public static readonly Bug[] All =
    [
        new("listener-on-the-thread-of-the-work", "the thread that ends a piece of work calls the listeners itself",
            "Engine: Diagnostics.MetricsTests.ListenersRunOnOtherThreads",
            new Edit(
                "EngineTelemetry.cs", "            _isScheduled = true;\n        }\n",
                "            _isScheduled = true;\n        }\n\n        if (SEEDED)\n        {\n            "
                    + "((IThreadPoolWorkItem)this).Execute();\n            return;\n        }\n")),

        new("listeners-exception-escapes", "an exception of a listener ends the thread that reports to it",
            "Engine: Diagnostics.MetricsTests.ExceptionOfListenerIsDropped",
            new Edit(
                "Instruments.cs", "Record(ended, database); } catch (Exception)",
                "Record(ended, database); } catch (Exception) when (!SEEDED)")),

        new("full-queue-of-reports-overrun", "a report overwrites one that waits when the queue is full",
            "Engine: Diagnostics.ListenersCostTests.FullQueueDropsReportsAndCountsWork",
            new Edit(
                "EngineTelemetry.cs", "if (_count == WaitingMax) return;",
                "if (!SEEDED && _count == WaitingMax) return;")),

        new("flush-is-a-child-of-the-open", "a flush has the activity of the opening thread as its parent",
            "Engine: Diagnostics.SpansTests.WorkIsShownWithItsTags",
            new Edit(
                "EngineTelemetry.cs", "work is Work.Flush or Work.Compaction ? default",
                "!SEEDED && (work is Work.Flush or Work.Compaction) ? default")),

        new("refused-command-counted-by-its-kind", "a refused command counts as an entry without a command",
            "Engine: Diagnostics.MetricsTests.ObservedInstrumentsShowStatistics",
            new Edit(
                "Publisher.cs", "kinds[position.Refused ?", "kinds[!SEEDED && position.Refused ?")),

        new("renewed-lease-counted-twice", "a renewal adds a lease and removes none",
            "Engine: Diagnostics.MetricsTests.ObservedInstrumentsShowStatistics",
            new Edit(
                "MemtableIndex.cs", "if (isPriorLeased && Leases > 0) Leases--;",
                "if (!SEEDED && isPriorLeased && Leases > 0) Leases--;")),

        new("closed-engine-still-listed", "an engine that has been closed stays in the list of open ones",
            "Engine: Diagnostics.MetricsTests.ClosedEngineIsNotMeasured",
            new Edit(
                "LsmStateMachine.cs", "_statistics.Withdraw();", "if (!SEEDED) _statistics.Withdraw();")),

        new("low-disk-logged-at-each-look", "every look at a volume that is short of space logs",
            "Engine: Diagnostics.LogEventsTests.LowDiskIsLoggedOnceUntilThereIsRoomAgain",
            new Edit(
                "DiskWatch.cs", "if (free < bound == _isLow) return;",
                "if (!SEEDED && free < bound == _isLow) return;")),

        new("slow-sync-above-its-bound-alone", "a sync that takes exactly the bound is not logged",
            "Engine: Diagnostics.LogEventsTests.SlowSyncIsLoggedFromItsBoundOn",
            new Edit("WalSyncer.cs", "duration >= bound", "(SEEDED ? duration > bound : duration >= bound)")),
    ];
}
