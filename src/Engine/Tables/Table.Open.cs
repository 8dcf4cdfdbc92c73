using Varve.Format;
using Varve.Storage;

namespace Varve.Tables;

internal sealed partial class Table
{
    // SAFETY: the parts were decoded from this mapping and are whole, so their regions are inside it.
    private unsafe Table(
        IStorage storage, TableDescriptor descriptor, string path, bool paranoid, TableParts parts, IMapping mapping,
        TableResidency? residency)
    {
        (_storage, _paranoid, _footer, _mapping, _residency) = (storage, paranoid, parts.Footer, mapping, residency);
        Path = path;
        _data = mapping.Address;
        _salt = TableChecksum.Salt(_footer.Origin, _footer.OriginNumber);

        Properties = parts.Properties!;
        // With whole keys: the manifest's may be cut off.
        Descriptor = descriptor with { SmallestKey = Properties.SmallestKey, LargestKey = Properties.LargestKey };
        _smallestKey = Properties.SmallestKey;
        _largestKey = Properties.LargestKey;
        _prefixLength = _smallestKey.AsSpan().CommonPrefixLength(_largestKey);
        _smallestHead = KeyHead.Of(_smallestKey, _prefixLength);
        var largestHead = KeyHead.Of(_largestKey, _prefixLength);
        _headsBetween = largestHead == _smallestHead ? 0 : largestHead - _smallestHead - 1;

        _index = new TableIndexReader(_data + _footer.Index.Offset, parts.Index!);
        _shortcut = new BlockShortcut(_index, _prefixLength, _smallestHead, largestHead);
        _checkedBlocks = new ulong[(parts.Index!.BlockCount + 63) / 64];
        _readyBlocks = residency is null ? _checkedBlocks : new ulong[_checkedBlocks.Length];
        _filter = _data + _footer.Filter.Offset;
        _filterLines = (ulong)(_footer.Filter.Length / TableFilter.LineBytes);
    }

    /// <summary>
    /// Opens and maps a table and checks all parts but the data blocks.
    /// </summary>
    /// <param name="storage">The file system.</param>
    /// <param name="path">The file.</param>
    /// <param name="descriptor">The manifest's descriptor of the file.</param>
    /// <param name="paranoid">Checks a block on every touch, not once.</param>
    /// <param name="access">The way in which data blocks are reached.</param>
    /// <exception cref="CorruptionException">The file is no table, is damaged, or is another table than the
    /// descriptor's.</exception>
    /// <exception cref="UnsupportedFormatException">The file has a format version that this build does not
    /// read.</exception>
    /// <exception cref="IOException">The file cannot be opened, read or mapped.</exception>
    public static Table Open(
        IStorage storage, string path, TableDescriptor descriptor, bool paranoid,
        TableAccess access = TableAccess.Mapped) =>
        TryOpen(storage, path, descriptor, paranoid, static damage => throw damage, access)!;

    /// <summary>
    /// Opens a table like <see cref="Open"/>, but passes every damage to <paramref name="report"/> and then returns
    /// null.
    /// </summary>
    public static Table? TryOpen(
        IStorage storage, string path, TableDescriptor descriptor, bool paranoid, Action<VarveException> report,
        TableAccess access = TableAccess.Mapped)
    {
        var file = storage.Open(path, FileIntent.Read);
        IMapping? mapping = null;
        Table? table = null;
        try
        {
            if (TableParts.ReadFooter(file, path, descriptor, report) is not { } footer) return null;
            var isProbed = access == TableAccess.Probed;
            mapping = file.Map(descriptor.Length, isProbed ? MappingAccess.ProbedTable : MappingAccess.Table);
            mapping.Populate(footer.Leases.Offset, descriptor.Length - footer.Leases.Offset);
            var parts = new TableParts(path, descriptor, footer, mapping, report);
            if (parts.AreWhole)
                table = new Table(
                    storage, descriptor, path, paranoid, parts, mapping,
                    isProbed ? new TableResidency(file, mapping) : null);
            return table;
        }
        finally
        {
            if (table is null) mapping?.Dispose();
            if (table?._residency is null) file.Dispose();
        }
    }
}
