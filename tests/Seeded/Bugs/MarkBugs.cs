namespace Varve.Tests.Seeded.Bugs;

/// <summary>The mark of an outer log.</summary>
internal static class MarkBugs
{
    public static readonly Bug[] All =
    [
        new("mark-left-out-of-flush", "a flush forgets the mark of its memtable",
            "Conformance: Surface.MarkTests.FlushesAndCompactionsKeepIt",
            new Edit("Flusher.cs", "last, memtable.Mark,", "last, SEEDED ? default : memtable.Mark,")),

        new("mark-lost-at-rotation", "the memtable that a rotation seals has no mark",
            "Simulation: Runs.SimulationTests.FixedLivesRecoverExactly",
            new Edit("MemtableRotation.cs",
                "version.Memtables[0].Seal(wal.Position, wal.Mark);",
                "version.Memtables[0].Seal(wal.Position, SEEDED ? default : wal.Mark);")),

        new("mark-of-a-later-entry", "a snapshot within a chunk has the mark that its last entry moves to",
            "Conformance: Surface.MarkTests.SnapshotHasThatOfItsIndex",
            new Edit("CutPosition.cs",
                "if (last <= index && columns.TryGetMark(out var moved))",
                "if ((SEEDED || last <= index) && columns.TryGetMark(out var moved))")),

        new("mark-survives-reset", "a reset leaves the mark in the log's writer",
            "Conformance: Surface.MarkTests.ResetRemovesIt",
            new Edit("StateReplacement.cs",
                "wal.Restart(memtable.Segment, next.Generation.Applied.Read(out var mark), mark);",
                "wal.Restart(memtable.Segment, next.Generation.Applied.Read(out var mark), "
                    + "SEEDED ? wal.Mark : mark);")),

        new("mark-of-duplicates-dropped", "a chunk of duplicates leaves the mark",
            "Conformance: Surface.MarkTests.DuplicatesMoveIt",
            new Edit("CommitPipeline.cs",
                "if (mark.Moves(wal.Mark)) { rotation",
                "if (mark.Moves(wal.Mark) && !(SEEDED && count > 0)) { rotation")),

        new("mark-acknowledged-unsynced", "a mark that moves alone is acknowledged before it is durable",
            "Simulation: Runs.SimulationTests.FixedLivesRecoverExactly",
            new Edit("CommitPipeline.cs",
                "NeedsSync: _awaitsSync && (count > 0 || mark.IsGiven)",
                "NeedsSync: _awaitsSync && (count > 0 || (!SEEDED && mark.IsGiven))")),

        new("mark-not-replayed", "an open ignores marks that moved alone",
            "Conformance: Surface.MarkTests.EmptyChunkMovesItAlone",
            new Edit("WalReplayer.cs", "Mark = mark; break;", "Mark = SEEDED ? Mark : mark; break;")),
    ];
}
