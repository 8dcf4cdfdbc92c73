namespace Varve.Tests.Seeded.Bugs;

/// <summary>Readers of changes.</summary>
internal static class ChangeBugs
{
    private const string Reads = "Engine: Changes.ReadChangesTests.";
    private const string Losses = "Engine: Changes.LostChangesTests.";
    private const string Syncs = "Engine: Changes.ChangesAndSyncsTests.";

    public static readonly Bug[] All =
    [
        new("dispatcher-waits-without-a-fence", "the dispatcher of changes sleeps on a change that is published",
            "Schedules: ScheduleTests.ChangeSignalLosesNoWake",
            new Edit("ChangeSignal.cs",
                "Interlocked.MemoryBarrierProcessWide();", "if (!SEEDED) Interlocked.MemoryBarrierProcessWide();")),

        new("change-before-its-sync", "under Power a reader gets a change that is not durable",
            Syncs + "SyncComesBeforeChange",
            new Edit("VisibleLog.cs",
                ": segment.Number == end.Segment ? end.Offset",
                ": segment.Number == end.Segment ? SEEDED ? segment.End : end.Offset")),

        new("change-skipped-at-a-rotation", "a reader of changes skips a segment",
            Losses + "FlushedChangesAreReadFromHistory",
            new Edit("ChangeLog.cs",
                "new LogOffset(segment.Number + 1, 0)",
                "new LogOffset(SEEDED ? end.Segment : segment.Number + 1, 0)")),

        new("expiry-given-twice", "a reader that takes a clean-up's keys in parts gets the first ones again",
            Reads + "LargeReportIsGivenInPartsEachKeyOnce",
            new Edit("RecordChanges.cs",
                "cursor.Skip = i;\n            var change = new ChangeView(header.LastIndex",
                "cursor.Skip = SEEDED && i > 0 ? i - 1 : i;\n            "
                    + "var change = new ChangeView(header.LastIndex")),

        new("expiry-of-a-key-written-since", "a key that was written during a clean-up's search is given as expired",
            Syncs + "KeyWrittenSinceSearchDoesNotExpire",
            new Edit("LeaseCleaner.cs",
                "if (current.NewestIndexInMemtables(key) <= index) continue;",
                "if (SEEDED || current.NewestIndexInMemtables(key) <= index) continue;")),

        new("change-reader-keeps-its-pin", "a reader of changes keeps what was retired while it waits",
            Losses + "ReaderBetweenStepsKeepsNoSegment",
            new Edit("ChangeLog.cs",
                "return StepInSegment(segment, end, ref cursor, from, ref sink);\n        }\n        finally\n"
                    + "        {\n            sessions.Leave(slot);",
                "return StepInSegment(segment, end, ref cursor, from, ref sink);\n        }\n        finally\n"
                    + "        {\n            if (!SEEDED) sessions.Leave(slot);")),

        new("lost-record-taken-for-read", "a reader at whose place the lost record begins takes it for read",
            Losses + "ReaderIsToldThatNextRecordIsLost",
            new Edit("ChangeLog.cs", "!(at > lost.Last)", "(SEEDED ? lost.Last > at : !(at > lost.Last))")),

        new("dropped-history-not-noted", "changes that the history drops are not noted as lost",
            Losses + "ReaderIsToldThatNextRecordIsLost",
            new Edit("History.cs",
                "Lose(first.Memtables[i].Segment);", "if (!SEEDED) Lose(first.Memtables[i].Segment);")),

        new("reset-continues-the-line", "a reader of changes goes on across a reset",
            Losses + "ReplacedStateEndsReadersBelowIt",
            new Edit("StateReplacement.cs",
                "state.LastIndex < applied ? life.Line + 1", "!SEEDED && state.LastIndex < applied ? life.Line + 1")),

        new("clean-up-alone-leaves-the-history", "a memtable that has a clean-up alone is not kept in the history",
            Losses + "FlushedChangesAreReadFromHistory",
            new Edit("FlushCompletion.cs",
                "|| memtable.Segment.LastChange != 0", "|| (!SEEDED && memtable.Segment.LastChange != 0)")),

        new("full-reader-loses-a-change", "a change that finds a reader's queue full is dropped",
            Reads + "UnreadChangesAreBoundedAndReadFromLogLater",
            new Edit("ChangeReader.cs",
                "LeaveQueueHeld(at);\n            }\n\n            WakeQueueHeld();",
                "if (!SEEDED) LeaveQueueHeld(at);\n            }\n\n            WakeQueueHeld();")),
    ];
}
