namespace Varve.Tests.Seeded.Bugs;

/// <summary>Keys, sizes and names by somebody who wants the engine to be slow or wrong.</summary>
internal static class HostileBugs
{
    public static readonly Bug[] All =
    [
        new("memtables-hash-with-a-known-seed", "memtables and chunks hash with a seed that others may know",
            "Engine: Recovery.HashSeedTests.KeysThatCollideInTablesDoNotInMemtables",
            new Edit("StateGeneration.cs", "= new(HashSeeds.Next());", "= new(SEEDED ? 7 : HashSeeds.Next());")),

        new("databases-share-a-seed", "a new database has no seed of its own",
            "Engine: Recovery.HashSeedTests.DatabaseKeepsItsOwnSeed",
            new Edit(
                "DatabaseCreator.cs", "options.HashSeed ?? HashSeeds.Next();",
                "options.HashSeed ?? (SEEDED ? 7 : HashSeeds.Next());")),

        new("table-of-another-seed-opens", "a table whose filter uses another seed than the state's is opened",
            "Engine: Recovery.HashSeedTests.TableOfOtherSeedIsCorruption",
            new Edit(
                "RunOpener.cs", "handle.Table.EnsureSeed(hashSeed);",
                "if (!SEEDED) handle.Table.EnsureSeed(hashSeed);")),

        new("one-secret-for-both-factors", "a key's hash masks only one factor of the product with a secret",
            "Format: KeyHasherTests.HashMatchesFormatDocument",
            new Edit("KeyHasher.cs", "first ^= _first;", "first ^= SEEDED ? 0 : _first;")),

        new("chunk-probes-without-bound", "a chunk's own table of keys is probed until the key is found",
            "Engine: Applying.ChunkBuffersTests.KeyLookupTakesBoundedProbes",
            new Edit(
                "ChunkBuffers.cs", "private const int ProbesMax = 32;",
                "private static int ProbesMax => SEEDED ? int.MaxValue : 32;")),

        new("large-chunk-keeps-its-room", "the buffers of a large chunk are kept",
            "Engine: Applying.ChunkBuffersTests.BuffersOfLargeChunkAreReleased",
            new Edit(
                "ChunkBuffers.cs", "if (Positions.Length <= CapacityKept) return;",
                "if (SEEDED || Positions.Length <= CapacityKept) return;")),

        new("stray-name-counts",
            "a stray file name far beyond the manifest's next number moves the counter of file numbers",
            "Engine: Recovery.FileNumberTests.StrayFileNameReservesNoNumbers",
            new Edit(
                "DatabaseOpener.cs", "out var number) && number < limit)",
                "out var number) && (SEEDED || number < limit))")),

        new("file-numbers-wrap", "file numbers wrap beyond the last one",
            "Engine: Recovery.FileNumberTests.LastNumberIsNotExceeded",
            new Edit(
                "FileNumbers.cs", "while (seen < VersionEdit.FileNumberLimit)",
                "while (SEEDED || seen < VersionEdit.FileNumberLimit)")),

        new(
            "number-met-overwrites-the-counter",
            "a number found in the directory overwrites numbers given out meanwhile",
            "Schedules: ScheduleTests.AllSchedulesWithFewPreemptionsFindNothing",
            new Edit("FileNumbers.cs",
                "var before = Interlocked.CompareExchange(ref _next, Math.Min(number, "
                    + "VersionEdit.FileNumberLimit - 1) + 1, seen);",
                "var before = seen; if (SEEDED) Volatile.Write(ref _next, number + 1); "
                    + "else before = Interlocked.CompareExchange(ref _next, Math.Min(number, "
                    + "VersionEdit.FileNumberLimit - 1) + 1, seen);")),

        new("manifest-searched-in-quadratic-time", "everything that looks like a manifest record is hashed whole",
            "Engine: Versions.ManifestCostTests.RecordLookalikesAreHashedBoundedly",
            new Edit(
                "ManifestScan.cs", "if (hashed + length > HashesMax * file.Length) break;",
                "if (!SEEDED && hashed + length > HashesMax * file.Length) break;")),

        new("large-manifest-written-anew-each-time", "a manifest above its threshold is rewritten at every commit",
            "Engine: Versions.ManifestCostTests.LargeManifestDoublesBeforeRewrite",
            new Edit(
                "ManifestStore.cs", "Math.Max(RewriteAbove, GrowthMax * _rewritten)",
                "Math.Max(RewriteAbove, SEEDED ? 0 : GrowthMax * _rewritten)")),

        new(
            "run-in-the-order-of-its-bounds", "tables of a run are ordered by their truncated bounds",
            "Engine: Varve.Tests.Versions.RunTests.TablesOfRunAreOrderedByWholeKeys",
            new Edit("RunOrder.cs", "tables.Sort((a, b) =>", "if (!SEEDED) tables.Sort((a, b) =>")),

        new("cut-off-keys-in-any-order",
            "tables of a run with equal truncated bounds are in any order, and an intact manifest is refused",
            "Engine: Versions.ManifestContentTests.TablesWithEqualTruncatedBoundsDoNotOverlap",
            new Edit(
                "ManifestContent.cs", ".ThenBy(table => table.Table.LargestKey, KeyComparer.Instance)",
                ".ThenBy(table => SEEDED ? [] : table.Table.LargestKey, KeyComparer.Instance)")),
    ];
}
