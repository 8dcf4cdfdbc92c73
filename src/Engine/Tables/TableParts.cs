using Varve.Contract;
using Varve.Format;
using Varve.Storage;

namespace Varve.Tables;

/// <summary>
/// The parts behind the data blocks of a mapped table. Each is checked: a damaged one is reported and left out, and the
/// others are still checked.
/// </summary>
internal sealed class TableParts
{
    private readonly string _path;
    private readonly TableDescriptor? _descriptor;
    private readonly IMapping _mapping;
    private readonly ulong _salt;
    private readonly Action<VarveException> _report;

    /// <summary>Reads and checks all parts.</summary>
    /// <param name="path">The file.</param>
    /// <param name="descriptor">The manifest's descriptor of the file; null if there is none.</param>
    /// <param name="footer">The decoded footer of the file.</param>
    /// <param name="mapping">A mapping of the whole file.</param>
    /// <param name="report">Receives each damage; may throw it.</param>
    public TableParts(
        string path, TableDescriptor? descriptor, TableFooter footer, IMapping mapping, Action<VarveException> report)
    {
        (_path, _descriptor, _mapping, _report, Footer) = (path, descriptor, mapping, report, footer);
        _salt = TableChecksum.Salt(footer.Origin, footer.OriginNumber);
        Properties = ReadProperties();
        Index = ReadIndex();
        var hasFilter = CheckFilter();
        var hasLeases = CheckLeases();
        AreWhole = Properties is not null && Index is not null && hasFilter && hasLeases;
    }

    public TableFooter Footer { get; }

    public TableProperties? Properties { get; }

    public TableIndexShape? Index { get; }

    /// <summary>True if no damage was reported.</summary>
    public bool AreWhole { get; }

    /// <summary>
    /// Reads the footer of a file. Reports it and returns null if it is damaged or of another table than the
    /// descriptor.
    /// </summary>
    public static TableFooter? ReadFooter(
        IStorageFile file, string path, TableDescriptor descriptor, Action<VarveException> report)
    {
        var length = file.Length;
        if (length != descriptor.Length)
        {
            report(CorruptionException.Of(
                path, Math.Min(length, descriptor.Length), CorruptionKind.Table,
                $"table length is {length}, manifest says {descriptor.Length}", $"{descriptor.Length}", $"{length}"));
            return null;
        }

        if (!TryReadFooter(file, length, out TableFooter? footer, out DecodeError error))
        {
            report(DecodeFailure.Of(path, 0, CorruptionKind.TableFooter, error));
            return null;
        }

        if (footer!.Origin == descriptor.Origin && footer.OriginNumber == descriptor.OriginNumber) return footer;
        var (expected, actual) =
            ($"{descriptor.Origin}/{descriptor.OriginNumber}", $"{footer.Origin}/{footer.OriginNumber}");
        report(CorruptionException.Of(
            path, footer.Offset, CorruptionKind.TableFooter, $"table is {actual}, manifest says {expected}", expected,
            actual));
        return null;
    }

    /// <summary>Decodes the footer at the end of a file. The error's offset counts from the file's beginning.</summary>
    public static bool TryReadFooter(IStorageFile file, long length, out TableFooter? footer, out DecodeError error)
    {
        Span<byte> end = stackalloc byte[(int)Math.Min(length, 2 * TableFooter.Bytes)];
        file.Read(length - end.Length, end);
        var decoded = TableFooter.TryDecode(end, length, out footer, out error);
        error = error with { Offset = length - end.Length + error.Offset };
        return decoded;
    }

    private TableProperties? ReadProperties()
    {
        if (!TryRegion(Footer.Properties, CorruptionKind.TableProperties, out ReadOnlySpan<byte> bytes)) return null;
        if (!TableProperties.TryDecode(bytes, out TableProperties? properties, out DecodeError error))
            return Refused<TableProperties>(Footer.Properties.Offset, CorruptionKind.TableProperties, error);
        if (_descriptor is not null && (properties!.RowCount != _descriptor.RowCount
            || properties.TombstoneCount != _descriptor.TombstoneCount
            || properties.LeaseCount != _descriptor.LeaseCount
            || !IsBound(_descriptor.SmallestKey, properties.SmallestKey)
            || !IsBound(_descriptor.LargestKey, properties.LargestKey)))
            return Damaged<TableProperties>(
                Footer.Properties.Offset, CorruptionKind.TableProperties,
                "counts or keys are not those of the manifest");
        return properties;
    }

    private static bool IsBound(byte[] bound, byte[] key) =>
        TableDescriptor.BoundOf(bound).SequenceEqual(TableDescriptor.BoundOf(key))
        && (bound.Length == key.Length || bound.Length == TableDescriptor.BoundBytesMax);

    private TableIndexShape? ReadIndex()
    {
        if (!TryRegion(Footer.Index, CorruptionKind.TableIndex, out ReadOnlySpan<byte> bytes)) return null;
        if (!TableIndex.TryValidate(bytes, Footer.DataLength, out TableIndexShape? shape, out DecodeError error))
            return Refused<TableIndexShape>(Footer.Index.Offset, CorruptionKind.TableIndex, error);
        if (Properties is not null && shape!.BlockCount != Properties.BlockCount)
            return Damaged<TableIndexShape>(
                Footer.Index.Offset, CorruptionKind.TableIndex,
                $"index has {shape.BlockCount} blocks, properties say {Properties.BlockCount}");
        return shape;
    }

    private bool CheckFilter()
    {
        if (!TryRegion(Footer.Filter, CorruptionKind.TableFilter, out ReadOnlySpan<byte> bytes)) return false;
        if (bytes.Length % TableFilter.LineBytes == 0) return true;
        Damaged<object>(
            Footer.Filter.Offset, CorruptionKind.TableFilter, $"length {bytes.Length} is not a multiple of 64");
        return false;
    }

    private bool CheckLeases()
    {
        if (!TryRegion(Footer.Leases, CorruptionKind.TableLeases, out ReadOnlySpan<byte> leases)) return false;
        var blocks = Index?.BlockCount ?? Properties?.BlockCount ?? TableIndexShape.BlocksMax;
        if (!TableLeases.TryValidate(leases, blocks, out DecodeError error))
        {
            Refused<object>(Footer.Leases.Offset, CorruptionKind.TableLeases, error);
            return false;
        }

        var count = leases.Length / TableLeases.EntryBytes;
        if (Properties is null || count == Properties.LeaseCount
            && (count == 0 || TableLeases.Read(leases).Deadline == Properties.SmallestDeadline
                && TableLeases.Read(leases[^TableLeases.EntryBytes..]).Deadline == Properties.LargestDeadline))
            return true;
        Damaged<object>(
            Footer.Leases.Offset, CorruptionKind.TableLeases, "count or deadlines are not those of the properties");
        return false;
    }

    // SAFETY: the decoded footer has only regions inside the file's length, all of which is mapped; the span lives
    // until the constructor returns, before the owner can dispose the mapping.
    private unsafe bool TryRegion(TableRegion region, string kind, out ReadOnlySpan<byte> bytes)
    {
        bytes = new ReadOnlySpan<byte>(_mapping.Address + region.Offset, (int)region.Length);
        var actual = TableChecksum.Of(bytes, _salt, region.Offset);
        if (actual == region.Checksum) return true;
        Refused<object>(region.Offset, kind, DecodeError.Checksum(0, region.Checksum, actual));
        return false;
    }

    private T? Refused<T>(long offset, string kind, DecodeError error) where T : class
    {
        _report(DecodeFailure.Of(_path, offset, kind, error));
        return null;
    }

    private T? Damaged<T>(long offset, string kind, string problem) where T : class
    {
        _report(CorruptionException.Of(_path, offset, kind, problem));
        return null;
    }
}
