namespace Varve.Tests.Seeded.Bugs;

/// <summary>
/// Callers that fail: want of memory and descriptors, bytes that change, loggers and clocks that throw, commands out of
/// their limits.
/// </summary>
internal static class CallerBugs
{
    public static readonly Bug[] All =
    [
        new("terms-not-reserved",
            "the term table grows after the record is finished, where a shortage of memory latches",
            "Engine: Callers.OutOfMemoryTests.FailedAllocationLetsChunkBeAppliedAgain",
            new Edit("StateGeneration.cs", "Terms.Reserve(2 * runs);", "if (!SEEDED) Terms.Reserve(2 * runs);")),

        new(
            "failure-after-the-seal-not-latched",
            "a chunk that failed after its record was finished is a duplicate when it is applied again",
            "Engine: Callers.OutOfMemoryTests.FailedAllocationLetsChunkBeAppliedAgain",
            new Edit("Publisher.cs", "catch (Exception e)", "catch (Exception e) when (!SEEDED)")),

        new("key-read-twice", "a key is copied into the log and read again from the caller's memory to be hashed",
            "Engine: Callers.CallersMemoryTests.KeyChangedDuringApplyCountsAsOneKey",
            new Edit("RecordBuilder.cs",
                "return versions.Current.MemtableHasher.Of(key);",
                "return versions.Current.MemtableHasher.Of(SEEDED ? source.Key(entry) : key);")),

        new("users-memory-under-the-gate", "the bytes of a MemoryManager are requested under the gate",
            "Engine: Callers.CallersMemoryTests.MemoryManagerIsCalledOnceAndOutsideGate",
            new Edit(
                "ChunkDecoder.cs", "if (!entry.Command.IsInArrays) return false;",
                "if (!SEEDED && !entry.Command.IsInArrays) return false;")),

        new(
            "key-moved-without-its-bytes", "an operation that moves down over an omitted one leaves its key behind",
            "Engine: Callers.CallersMemoryTests.FailedSwapLeavesLaterEntriesIntact",
            new Edit(
                "RecordBuilder.cs", "if (placed != record.Length) WalOperation.MoveKey(",
                "if (!SEEDED && placed != record.Length) WalOperation.MoveKey(")),

        new("callers-checksum-kept", "the recorded checksum refers to the caller's memory",
            "Engine: Callers.CallersMemoryTests.InstallDoesNotKeepCallersChecksum",
            new Edit("SnapshotRecorder.cs",
                "metadata = metadata with { Checksum = metadata.Checksum.ToArray() }; using",
                "if (!SEEDED) metadata = metadata with { Checksum = metadata.Checksum.ToArray() }; using")),

        new("logger-on-the-background", "the background calls the logger itself",
            "Engine: Callers.LoggerTests.BackgroundEventsAreLoggedOnOtherThreads",
            new Edit(
                "EngineLog.cs", "            _isScheduled = true;\n        }\n",
                "            _isScheduled = true;\n        }\n\n        if (SEEDED)\n        {\n            "
                    + "EmitScheduled();\n            return;\n        }\n")),

        new("loggers-exception-escapes", "an exception of the logger ends the engine's work",
            "Engine: Callers.LoggerTests.LoggerThatThrowsAtEveryEventChangesNothing",
            new Edit("EngineLog.cs", "catch (Exception)\n", "catch (Exception) when (!SEEDED)\n")),

        new("clock-under-the-gate", "an apply reads the clock under the gate",
            "Engine: Callers.ClockTests.ClockIsReadOutsideLocksAndEngineThreads",
            new Edit(
                "RecordBuilder.cs", "LocalTimeMs = engine.Clock.SeenLocal,",
                "LocalTimeMs = SEEDED ? engine.Clock.ReadLocal() : engine.Clock.SeenLocal,")),

        new("scan-ends-at-damage", "a scan that met damage ends as if it were complete when it is advanced again",
            "Engine: Callers.ScansAfterDamageTests.MoveNextThrowsAgainAfterDamage",
            new Edit("PrefixScan.cs", "_failure?.Throw();", "if (!SEEDED) _failure?.Throw();")),

        new("narrow-process-accepted", "a 32-bit process opens a database",
            "Engine: Storage.ProcessorTests.UnsupportedProcessorIsRefusedBeforeAnyFile",
            new Edit(
                "Processor.cs", "if (AddressBits < AddressBitsNeeded)",
                "if (!SEEDED && AddressBits < AddressBitsNeeded)")),

        new("no-descriptor-latches", "a shortage of descriptors latches the engine",
            "Engine: Recovery.DescriptorsTests.ResetWithoutDescriptorsIsRefusedAndCanBeRetried",
            new Edit("Shortage.cs",
                "exception is StorageFullException or TooManyOpenFilesException",
                "exception is StorageFullException || (!SEEDED && exception is TooManyOpenFilesException)")),

        new("failed-flush-leaves-tables", "tables whose names could not be synced stay, at each attempt",
            "Engine: Recovery.DescriptorsTests.TwentyDescriptorShortagesLoseNothing",
            new Edit("TableSetWriter.cs",
                "foreach (var (path, _) in named) DurableFile.TryDelete(storage, path);",
                "if (!SEEDED) foreach (var (path, _) in named) DurableFile.TryDelete(storage, path);")),

        new("refusal-not-replayed", "after a replay a refused command counts as a compare-and-swap that failed",
            "Conformance: Rules.EngineKeepsInvalidCommandRules."
                + "RefusalSurvivesReopenAndPolicyChange",
            new Edit("WalReplayer.cs", "Refused = columns.Refused", "Refused = !SEEDED && columns.Refused")),

        new("refusal-not-persisted", "a flush or a snapshot loses which commands were refused",
            "Conformance: Rules.EngineKeepsInvalidCommandRules.RefusalsTravelInSnapshot",
            new Edit("OutcomeLog.cs", "{ Refused = refused };", "{ Refused = SEEDED ? null : refused };")),

        new("null-expectation-is-empty", "a compare-and-swap that expects null expects an empty value",
            "Conformance: Surface.CommandTests.NullIsAbsenceAndEmptyIsValue",
            new Edit("Command.cs",
                "expected is null ? default(ReadOnlyMemory<byte>?) : expected, ttlSeconds);",
                "!SEEDED && expected is null ? default(ReadOnlyMemory<byte>?) : expected.AsMemory(), ttlSeconds);")),

        new("passed-over-called-applied", "an index that the position was moved past is reported as applied",
            "Conformance: Surface.CommandTests.SkippedIndexesAreNotReportedAsDuplicates",
            new Edit(
                "ChunkValidator.cs", "generation.Outcomes.IsPassedOver(index)",
                "!SEEDED && generation.Outcomes.IsPassedOver(index)")),
    ];
}
