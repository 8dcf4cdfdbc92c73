namespace Varve.Tests.Seeded.Bugs;

/// <summary>Tables: their bytes, their flush, their compaction, their order.</summary>
internal static class TableBugs
{
    public static readonly Bug[] All =
    [
        new("table-not-synced", "a table takes its name before its bytes are durable",
            "Engine: Recovery.OperationOrderTests.FlushSyncsTablesThenNamesThemThenSyncsManifest",
            new Edit("TableSetWriter.cs", "_file!.Sync();", "if (!SEEDED) _file!.Sync();")),

        new("table-directory-not-synced", "the manifest names a table whose own name is not durable",
            "Engine: Recovery.OperationOrderTests.FlushSyncsTablesThenNamesThemThenSyncsManifest",
            new Edit("TableSetWriter.cs", "if (named.Count > 0) storage", "if (!SEEDED && named.Count > 0) storage")),

        new("block-checksum-ignored", "a data block is read without its checksum",
            "Engine: Varve.Tests.Tables.DamagedTableTests.FlippedBitIsDetectedOrHarmlessAndVerifyFindsIt",
            new Edit("DataBlock.cs", "if (stored != computed)", "if (!SEEDED && stored != computed)")),

        new("region-checksum-ignored", "index, filter, leases and properties are used without their checksums",
            "Engine: Varve.Tests.Tables.DamagedTableTests.FlippedBitIsDetectedOrHarmlessAndVerifyFindsIt",
            new Edit("TableParts.cs", "if (actual == region.Checksum)", "if (SEEDED || actual == region.Checksum)")),

        new("footer-checksum-ignored", "a table's footer is used without its checksum",
            "Engine: Varve.Tests.Tables.DamagedTableTests.FlippedBitIsDetectedOrHarmlessAndVerifyFindsIt",
            new Edit("TableFooter.cs",
                "if (stored != computed)",
                "if (!SEEDED && stored != computed)")),

        new("table-of-another-identity", "a table of the same shape is accepted in place of another",
            "Engine: Varve.Tests.Tables.DamagedTableTests.OtherTableOfSameShapeDoesNotOpen",
            new Edit(
                "TableParts.cs", "if (footer!.Origin == descriptor.Origin &&",
                "if (SEEDED || footer!.Origin == descriptor.Origin &&")),

        new("block-of-another-place", "a block is accepted at another place of its table",
            "Format: Tables.TableCodecTests.BlockIsValidOnlyWhereItWasWritten",
            new Edit(
                "TableChecksum.cs", "unchecked((long)(salt + (ulong)fileOffset * 0x9E3779B97F4A7C15));",
                "unchecked((long)(salt + (SEEDED ? 0 : (ulong)fileOffset) * 0x9E3779B97F4A7C15));")),

        new("filter-denies-a-key", "the filter sets a wrong bit and denies stored keys",
            "Engine: Varve.Tests.Tables.TableModelTests.AnyTableMatchesModel",
            new Edit("TableFilter.cs", "| BitOf(hash, word));", "| BitOf(hash, SEEDED && word == 7 ? 6 : word));"),
            new Edit(
                "TableFilter.cs", "AsUInt64() | MaskOf(hash)).", "AsUInt64() | MaskOf(SEEDED ? hash ^ 1 : hash)).")),

        new("largest-key-out-of-range", "a table's largest key is outside its range",
            "Engine: Varve.Tests.Tables.TableModelTests.AnyTableMatchesModel",
            new Edit(
                "Table.cs", "key.SequenceCompareTo(_largestKey) <= 0;",
                "key.SequenceCompareTo(_largestKey) <= (SEEDED ? -1 : 0);")),

        new("older-version-wins", "if two inputs have a key, the older version is kept",
            "Conformance: Rules.TinyEngineKeepsReadRules.OverwritesAcrossFlushesLeaveOneValue",
            new Edit(
                "InputOrder.cs", "if (order == 0) return a < b;",
                "if (order == 0) return SEEDED ? a > b : a < b;")),

        new("merge-keeps-the-older-version", "if several runs of a compaction have a key, an older version is kept",
            "Engine: Varve.Tests.Tables.CompactionMergeTests.MergedRunsMatchModel",
            new Edit(
                "CompactionMerge.cs", "if (order == 0)",
                "if (SEEDED && order == 0) (first, same) = (input, same | 1UL << first); else if (order == 0)")),

        new("flush-counts-against-nothing", "a flush counts a key that a lower run has as new",
            "Engine: LiveKeys.LiveKeyCounterTests.CountMatchesFullCount",
            new Edit("FlushDelta.cs", "if (WasLive(row)) Value--;", "if (!SEEDED && WasLive(row)) Value--;")),

        new("runs-in-wrong-order", "after opening, the oldest run is taken for the newest",
            "Engine: Recovery.SeveralRunsTests.OpenKeepsOrderCountAndTermsOfRuns",
            new Edit(
                "ManifestContent.cs", ".OrderByDescending(table => table.RunOrder)",
                ".OrderByDescending(table => SEEDED ? ~table.RunOrder : table.RunOrder)")),

        new(
            "tombstone-dropped-above-the-bottom", "a merge above older runs drops tombstones: deleted keys come back",
            "Engine: Recovery.SeveralRunsTests.MergeAboveBottomKeepsTombstones",
            new Edit(
                "MergeJob.cs", "var vanishes = _isBottom && ",
                "var vanishes = (_isBottom || (SEEDED && row.Kind == Format.RecordKind.Tombstone)) && ")),

        new("move-takes-tombstones-along", "a run with tombstones moves to the bottom unread",
            "Engine: Compaction.CompactionPickerTests.RunThatOverlapsBottomOrHasTombstonesIsNotMoved",
            new Edit(
                "CompactionPicker.cs", "if (table.Descriptor.TombstoneCount > 0) return false;",
                "if (!SEEDED && table.Descriptor.TombstoneCount > 0) return false;")),

        new("lease-dropped-too-early", "under the log's clock a compaction drops leases by the local one",
            "Engine: Recovery.SeveralRunsTests.LogClockCompactionKeepsLeasesUnexpiredInLog",
            new Edit("LeaseHorizon.cs", "var now = _isLogClock ?", "var now = !SEEDED && _isLogClock ?")),

        new("count-not-persisted", "a flush does not carry the number of live keys",
            "Engine: Recovery.SeveralRunsTests.OpenKeepsOrderCountAndTermsOfRuns",
            new Edit("StateGeneration.cs", "LiveCount = liveCount,", "LiveCount = SEEDED ? 0 : liveCount,")),

        new("terms-not-persisted", "the terms of flushed entries are lost at the next open",
            "Engine: Recovery.SeveralRunsTests.OpenKeepsOrderCountAndTermsOfRuns",
            new Edit(
                "StateGeneration.cs", "Terms = Terms.UpTo(position.Index),",
                "Terms = SEEDED ? [] : Terms.UpTo(position.Index),")),

        new("outcomes-not-persisted", "the outcomes of flushed entries are lost at the next open",
            "Conformance: Rules.TinyEngineKeepsDuplicateRules.Last65536OutcomesAreKeptAndOlderNotInvented",
            new Edit("StateGeneration.cs", "Outcomes = Outcomes.UpTo", "Outcomes = SEEDED ? [] : Outcomes.UpTo")),

        new(
            "search-begins-without-a-candidate",
            "a search of a uniform block without a candidate examines the row after the last possible one",
            "Engine: Varve.Tests.Tables.BlockSearchTests.NoRowIsReadWithoutTagMatch",
            new Edit("DataBlockView.cs", "for (; candidates != 0; candidates &= candidates - 1) { var row = (uint)",
                "for (bool entered = SEEDED; entered || candidates != 0; entered = false, "
                    + "candidates &= candidates - 1) { var row = (uint)")),

        new("search-of-any-block-begins-without-a-candidate", "the same in a block of any other shape",
            "Engine: Varve.Tests.Tables.BlockSearchTests.NoRowIsReadWithoutTagMatch",
            new Edit("DataBlockView.cs", "for (; candidates != 0; candidates &= candidates - 1) { var row = "
                + "BitOperations.TrailingZeroCount(candidates); if (IsKey",
                "for (bool entered = SEEDED; entered || candidates != 0; entered = false, candidates &= candidates - "
                    + "1) { var row = BitOperations.TrailingZeroCount(candidates); if (IsKey")),

        new("merge-begins-without-an-input", "a merge takes a row from an input when none is left",
            "Engine: Varve.Tests.Tables.CompactionMergeTests.DisjointRunsAreConcatenated",
            new Edit("CompactionMerge.cs", "if (_left == 0)", "if (!SEEDED && _left == 0)")),

        new("scan-has-a-runner-up-of-none", "a scan of one input takes another one for its runner-up",
            "Engine: Varve.Tests.Versions.MergingIteratorTests.RunsThatHardlyInterleaveAreWalkedInLongWindows",
            new Edit(
                "InputOrder.cs", "if (tied == 0) return -1;", "if (!SEEDED && tied == 0) return -1;")),

        new(
            "overlap-passes-an-open", "tables of a run that overlap beyond their truncated bounds are opened",
            "Engine: Varve.Tests.Versions.RunTests.TablesOfRunAreOrderedByWholeKeys",
            new Edit(
                "RunOpener.cs", "(table.Path, table.Descriptor), static damage => throw damage);",
                "(table.Path, table.Descriptor), static damage => { if (!SEEDED) throw damage; });")),

        new("overlap-passes-verify", "verify orders the tables of a run by the manifest's truncated bounds",
            "Engine: Inspection.RunOrderTests.TablesOfDatabaseAreComparedByWholeKeys",
            new Edit("TableCheck.cs", "RunOrder.Sort(read,", "if (!SEEDED) RunOrder.Sort(read,")),
    ];
}
