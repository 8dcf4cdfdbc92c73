namespace Varve.Tests.Seeded.Bugs;

/// <summary>Applies and reads: commands, leases, duplicates, scans.</summary>
internal static class StateBugs
{
    public static readonly Bug[] All =
    [
        new("deadline-by-the-local-clock", "under the log's clock a deadline is computed from the local one",
            "Conformance: Rules.EngineKeepsLeaseRules.LogClockExpiresKeyByTimestampsOfLog",
            new Edit("RecordBuilder.cs", "var time = _isLogClock ?", "var time = !SEEDED && _isLogClock ?")),

        new("local-clock-runs-backward", "a local clock that goes back revives expired keys",
            "Conformance: Rules.EngineKeepsLeaseRules.LocalClockNeverRunsBackward",
            new Edit(
                "EngineClock.cs", "while (timeMs > seen)",
                "if (SEEDED) return timeMs;\n        while (timeMs > seen)")),

        new("put-keeps-the-old-lease", "a plain put over a leased key keeps the lease",
            "Conformance: Rules.EngineKeepsLeaseRules.PlainInsertClearsLease",
            new Edit("RecordBuilder.cs",
                "? DeadlineOf(time, head.TtlSeconds) : 0;",
                "? DeadlineOf(time, head.TtlSeconds) : 0;\n            if (SEEDED && kind == RecordKind.Put && !prior"
                    + ".IsNone && new Tables.KeyVersion(record.Index.OperationAt(prior)).Kind "
                    + "== RecordKind.LeasedPut)\n"
                    + "                (kind, size, "
                    + "deadline) = (RecordKind.LeasedPut, (int)WalOperation.SizeOf(head.KeyLength, head.ValueLength, "
                    + "RecordKind.LeasedPut), new Tables.KeyVersion(record.Index.OperationAt(prior)).Deadline);")),

        new("swap-sees-expired-keys", "a compare-and-swap takes an expired key for a live one",
            "Conformance: Rules.EngineKeepsCompareAndSwapRules.SwapTreatsExpiredKeyAsAbsent",
            new Edit(
                "ConditionChecker.cs", "return operation.IsLiveAt(time);",
                "return operation.IsLiveAt(SEEDED ? 0 : time);")),

        new("renewal-revives-expired-keys", "a renewal succeeds on a key that has expired",
            "Conformance: Rules.EngineKeepsConditionalRules.RenewalOfAbsentOrExpiredKeyFails",
            new Edit("ConditionChecker.cs", "return exists;", "return exists || (SEEDED && !value.IsEmpty);")),

        new("renewal-measured-by-the-state-alone",
            "the room of a renewal is that of the value in the state, not of a longer one that its chunk sets",
            "Conformance: Rules.EngineKeepsConditionalRules.RenewalSeesValuesOfItsChunk",
            new Edit(
                "ConditionChecker.cs", "head.ValueLength = Math.Max(longest, value.Length);",
                "head.ValueLength = Math.Max(SEEDED ? 0 : longest, value.Length);")),

        new("conditional-delete-without-condition", "a compare-and-delete removes a key whatever its value is",
            "Conformance: Rules.EngineKeepsConditionalRules.CompareAndDeleteRemovesExpectedValueOnly",
            new Edit(
                "ConditionChecker.cs", "if (head.Kind != CommandKind.Renew)",
                "if (SEEDED && head.Kind == CommandKind.CompareAndDelete) return exists;\n"
                    + "        if (head.Kind != CommandKind.Renew)")),

        new("swap-blind-to-its-chunk",
            "a compare-and-swap in a record built beside the log looks for an earlier write of its chunk in the log",
            "Conformance: Rules.PowerEngineKeepsCompareAndSwapRules.EarlierWriteInChunkIsSeen",
            new Edit(
                "WalWriter.cs", "_isBeside && reference.Offset >= Active.End ?",
                "!SEEDED && _isBeside && reference.Offset >= Active.End ?")),

        new("empty-expectation-is-absence", "a compare-and-swap that expects an empty value takes an absent key",
            "Conformance: Rules.EngineKeepsCompareAndSwapRules.EmptyValueIsNotAbsence",
            new Edit(
                "ConditionChecker.cs", "? exists && value.SequenceEqual(expected) : !exists;",
                "? (exists && value.SequenceEqual(expected)) || (SEEDED && !exists && expected.IsEmpty) : !exists;")),

        new("duplicate-always-succeeded", "a duplicate is answered with success, not with its first outcome",
            "Conformance: Rules.EngineKeepsDuplicateRules.DuplicateGetsItsFirstOutcome",
            new Edit(
                "ChunkValidator.cs", "new ApplyResult(index, generation.Outcomes.Find(index)",
                "new ApplyResult(index, (SEEDED ? ApplyStatus.Applied : default(ApplyStatus?)) ?? "
                    + "generation.Outcomes.Find(index)")),

        new("replayed-outcome-lost", "after a replay every entry counts as succeeded",
            "Conformance: Rules.EngineKeepsDuplicateRules.DuplicateGetsItsFirstOutcomeAfterReopening",
            new Edit("WalReplayer.cs", "Succeeded = columns.Succeeded", "Succeeded = SEEDED || columns.Succeeded")),

        new("gap-accepted", "a chunk after a gap is applied: a hole in the log",
            "Conformance: Rules.EngineKeepsChunkRules.GapBeforeChunkIsRefused",
            new Edit(
                "ChunkValidator.cs", "if (entry.Index != lastIndex + 1 &&",
                "if (!SEEDED && entry.Index != lastIndex + 1 &&")),

        new("half-a-chunk-applied", "a chunk that is malformed at its end is applied up to that point",
            "Conformance: Surface.WireTests.TrailingByteIsRefused",
            new Edit("ChunkDecoder.cs", "if (!reader.AtEnd)", "if (!SEEDED && !reader.AtEnd)")),

        new("prefix-of-high-bytes", "the end of a prefix that ends in 0xFF wraps around",
            "Conformance: Rules.EngineKeepsReadRules.PrefixOfHighBytesEndsCorrectly",
            new Edit(
                "PrefixScan.cs", "while (toLength > 0 && prefix[toLength - 1] == 0xFF) toLength--;",
                "while (!SEEDED && toLength > 0 && prefix[toLength - 1] == 0xFF) toLength--;")),

        new("scan-takes-its-end", "a scan includes its exclusive end",
            "Conformance: Rules.EngineKeepsReadRules.PrefixScanReturnsItsKeysOnly",
            new Edit(
                "MemtableIterator.cs", "return _backward ? order >= 0 : order < 0;",
                "return _backward ? order >= 0 : order < (SEEDED ? 1 : 0);"),
            new Edit(
                "TableCursor.cs", "_end = number == _upperBlock ? _block.LowerBound(_limit.Span) :",
                "_end = number == _upperBlock ? Math.Min(_block.Count, _block.LowerBound(_limit.Span) + (SEEDED ? 1 : "
                    + "0)) :")),

        new("page-repeats-a-key", "a page begins with the last key of the page before",
            "Conformance: Rules.EngineKeepsReadRules.PagesGiveEachKeyOfPrefixOnceInOrder",
            new Edit(
                "PointReads.cs", "if (entries.Count == 0 && entry.Key.SequenceEqual(after)) continue;",
                "if (!SEEDED && entries.Count == 0 && entry.Key.SequenceEqual(after)) continue;")),

        new("last-page-continues", "a full page without a further entry has a continuation",
            "Conformance: Rules.EngineKeepsReadRules.FullPageWithoutFurtherEntryHasNoContinuation",
            new Edit(
                "PointReads.cs", "return new ScanPage(entries, view.Revision, default);",
                "return new ScanPage(entries, view.Revision, SEEDED && entries.Count == limit ? entries[^1].Key : "
                    + "default);")),

        new("seek-keeps-the-window", "a moved scan keeps the window of its earlier place and gives old versions",
            "Conformance: Surface.SeekTests.PagesAndSeeksMatchSortedListAtEveryRevision",
            new Edit(
                "MergingIterator.cs", "(_stays, Leader) = (0, null);",
                "(_stays, Leader) = (0, SEEDED ? Leader : null);")),

        new("seek-leaves-the-range", "a scan that is moved to a key before its range leaves the range",
            "Conformance: Surface.SeekTests.SeekMovesForwardAndBack",
            new Edit(
                "PrefixScan.cs", "var isInside = target.Span.SequenceCompareTo(from.Span) > 0;",
                "var isInside = SEEDED && _isSought || target.Span.SequenceCompareTo(from.Span) > 0;")),

        new("deadline-without-a-lease", "an entry without a lease has a deadline",
            "Conformance: Rules.EngineKeepsReadRules.EntriesHaveDeadlinesOfTheirLeases",
            new Edit(
                "EntryView.cs", "_version.Kind == RecordKind.LeasedPut ?",
                "SEEDED || _version.Kind == RecordKind.LeasedPut ?")),

        new("expired-keys-counted", "the count includes expired keys",
            "Engine: LiveKeys.LiveKeyCounterTests.CountMatchesFullCount",
            new Edit("LiveKeyCounter.cs", "if (timeMs <= _time) return;", "if (SEEDED || timeMs <= _time) return;")),

        new("clean-up-forgets-what-it-gave", "a reported lease is reported again after a reopen",
            "Conformance: Rules.EngineKeepsLeaseRules.CleanupReturnsExpiredKeysOnce",
            new Edit(
                "WalReplayer.cs", "CleanedTimeMs = Math.Max(CleanedTimeMs,",
                "CleanedTimeMs = SEEDED ? CleanedTimeMs : Math.Max(CleanedTimeMs,")),

        new("published-before-insertion", "the applied index is published before the memtable has the entries",
            "Schedules: ScheduleTests.AllSchedulesWithFewPreemptionsFindNothing",
            new Edit("Publisher.cs",
                "var index = versions.Current.Memtables[0].Index;",
                "var index = versions.Current.Memtables[0].Index;\n        if (SEEDED) "
                    + "versions.Current.Generation.Applied.Publish(wal.Position, wal.Mark);")),
    ];
}
