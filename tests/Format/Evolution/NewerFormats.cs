using Varve.Format;

namespace Varve.Tests.Format.Evolution;

/// <summary>
/// Golden bytes of newer builds: each codec refuses them as unsupported, with their offset, and reports none as damage.
/// </summary>
public class NewerFormats
{
    public static TheoryData<string> Structures => [.. NewerBytes.All.Select(newer => newer.Structure).Distinct()];

    [Theory]
    [MemberData(nameof(Structures))]
    public void NewerFormatIsRefusedWithOffset(string structure)
    {
        var golden = new Golden();
        foreach (var newer in NewerBytes.All.Where(newer => newer.Structure == structure))
        {
            golden.Field(newer.Bytes.AsSpan(..newer.At), newer.Place)
                .Field(newer.Bytes.AsSpan(newer.At, 1), $"refused at {newer.Offset}: {newer.Met}")
                .Field(newer.Bytes.AsSpan((newer.At + 1)..), "the rest");
            var error = Decode(structure, newer.Bytes);
            Assert.True(error.IsUnsupported, $"{newer.Place}: {error}");
            Assert.Equal((newer.Place, newer.Offset), (newer.Place, error.Offset));
            Assert.StartsWith(newer.Met, error.Reason, StringComparison.Ordinal);
        }

        golden.Check("newer-" + structure);
    }

    private static DecodeError Decode(string structure, byte[] bytes)
    {
        DecodeError error;
        switch (structure)
        {
            case "pointer-file":
                PointerFile.TryDecode(bytes, out _, out error);
                break;
            case "wal-segment":
                WalSegmentHeader.TryDecode(bytes, out _, out error);
                break;
            case "wal-record":
                if (WalRecordHeader.TryRead(bytes, NewerBytes.Begin, NewerBytes.Salt, out var header, out error))
                    WalOperation.TryMeasure(
                        bytes.AsSpan()[(WalRecordHeader.Size + header.PayloadLength)..], out _, out error);
                break;
            case "manifest-log":
                ManifestLog.TryDecodeHeader(bytes, out _, out _, out error);
                break;
            case "version-edit":
                VersionEditCodec.TryDecode(bytes, out _, out error);
                break;
            case "machine-state":
                MachineStateCodec.TryDecode(bytes, out _, out error);
                break;
            case "data-block":
                DataBlock.TryValidate(bytes, NewerBytes.Salt, NewerBytes.Begin, out error);
                break;
            case "table-footer":
                TableFooter.TryDecode(bytes, 804, out _, out error);
                break;
            case "snapshot-manifest":
                SnapshotManifestCodec.TryDecode(bytes, out _, out error);
                break;
            default:
                Assert.Equal("packed-snapshot", structure);
                PackFormat.TryDecodeHeader(bytes, out _, out error);
                break;
        }

        return error;
    }
}
