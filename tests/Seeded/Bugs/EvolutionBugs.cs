namespace Varve.Tests.Seeded.Bugs;

/// <summary>Files of a newer build.</summary>
internal static class EvolutionBugs
{
    private const string Database = "Engine: Evolution.NewerBuildTests.DatabaseOfNewerBuildIsRefusedUnchanged";

    public static readonly Bug[] All =
    [
        new("unknown-record-is-a-torn-tail", "an intact log record that this build does not know ends the log",
            Database,
            new Edit("WalRecordHeader.cs",
                "error = DecodeError.Unsupported(at, met);",
                "error = SEEDED ? new DecodeError(at, met, \"\") : DecodeError.Unsupported(at, met);")),

        new(
            "unknown-record-beyond-the-end-dropped",
            "an unknown record beyond the end of the log is dropped with the tail",
            Database,
            new Edit("LogChain.cs",
                "if (scan.Foreign is { } record)",
                "if (!SEEDED && scan.Foreign is { } record)")),

        new(
            "unknown-record-not-looked-for",
            "the search beyond the end of the log skips types that this build does not know",
            Database,
            new Edit("WalRecordHeader.cs",
                "if (source[TypeField] == 0) return false;",
                "if (source[TypeField] == 0 || (SEEDED && source[TypeField] > (byte)WalRecordType.Sealed)) "
                    + "return false;")),

        new("unknown-operation-is-damage", "an operation of an unknown kind is reported as corruption",
            Database,
            new Edit("WalOperation.cs",
                "error = DecodeError.Unsupported(KindField, $\"operation of kind {(byte)kind}\");",
                "error = new DecodeError(KindField, $\"operation of kind {(byte)kind}\", \"\", "
                    + "IsUnsupported: !SEEDED);")),

        new("feature-bits-ignored", "unknown feature bits of a file are ignored",
            Database,
            new Edit("FormatFeatures.cs",
                "else if ((features.Value & ~Known) != 0)",
                "else if (!SEEDED && (features.Value & ~Known) != 0)")),

        new("unknown-inner-version-is-damage", "an unknown version or flag inside a manifest is reported as corruption",
            Database,
            new Edit("FieldReader.cs",
                "if (!Failed) _error = DecodeError.Unsupported(offset, met);",
                "if (!Failed) _error = new DecodeError(offset, met, \"\", IsUnsupported: !SEEDED);")),

        new(
            "repair-drops-a-newer-builds-records", "repair treats records of a newer build as damage and omits them",
            Database,
            new Edit("Repair.cs",
                "if (findings.Unsupported is { } unsupported) throw unsupported;",
                "if (!SEEDED && findings.Unsupported is { } unsupported) throw unsupported;")),

        new("unknown-block-is-damage", "a data block with unknown flags is reported as corruption",
            "Engine: Evolution.NewerBuildTests.DataBlockOfNewerBuildIsRefusedWhenRead",
            new Edit("DataBlockShape.cs",
                "error = DecodeError.Unsupported(offset, met);",
                "error = new DecodeError(offset, met, \"\", IsUnsupported: !SEEDED);")),

        new("newer-snapshot-is-rejected-as-broken", "a snapshot of a newer build is rejected as damaged",
            "Engine: Evolution.NewerBuildTests.SnapshotOfNewerBuildIsRefusedAsDirectoryAndPack",
            new Edit("SnapshotFiles.cs",
                "UnsupportedFormatException => damage,",
                "UnsupportedFormatException when !SEEDED => damage, UnsupportedFormatException other => "
                    + "new SnapshotRejectedException(other.Path, other.Message),")),

        new("newer-segment-passed-over", "a reader beside a writer skips a segment of a newer build",
            "Engine: Evolution.NewerBuildTests.ReaderBesideNewerWriterKeepsItsState",
            new Edit("LogGrowth.cs",
                "if (!isRecord && error.IsUnsupported)",
                "if (!SEEDED && !isRecord && error.IsUnsupported)")),

        new(
            "unknown-lease-clock-is-damage",
            "a state with a lease clock that this build does not know is reported as corruption",
            "Format: Evolution.NewerFormats.NewerFormatIsRefusedWithOffset",
            new Edit(
                "MachineStateCodec.cs", "if (clock > StoredLeaseClock.Log)",
                "if (!SEEDED && clock > StoredLeaseClock.Log)")),

        new("unknown-row-kind-is-damage", "a row of an unknown kind is reported as corruption",
            "Format: Evolution.NewerFormats.NewerFormatIsRefusedWithOffset",
            new Edit("DataBlockShape.cs",
                "return Unsupported(header.KindsOffset + i,",
                "if (SEEDED) return Fail(header.KindsOffset + i, \"kind\", \"is unknown\", out error); "
                    + "else return Unsupported(header.KindsOffset + i,")),

        new("longer-footer-is-damage", "a table's footer of another length is reported as corruption",
            "Format: Evolution.NewerFormats.NewerFormatIsRefusedWithOffset",
            new Edit(
                "TableFooter.cs", "if (version == FormatVersion && length != Bytes)",
                "if (!SEEDED && version == FormatVersion && length != Bytes)")),

        new("columns-of-a-marker-ignored", "a record without entries may have columns",
            "Format: Evolution.NewerFormats.NewerFormatIsRefusedWithOffset",
            new Edit(
                "WalRecordHeader.cs", "OperationCount != 0 || Flags != 0)",
                "OperationCount != 0 || (!SEEDED && Flags != 0))")),
    ];
}
