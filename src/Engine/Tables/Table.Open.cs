using Varve.Format;
using Varve.Storage;

namespace Varve.Tables;

internal sealed unsafe partial class Table
{
    private Table(IStorage storage, string path, TableDescriptor descriptor, bool paranoid, TableFooter footer, IMapping mapping)
    {
        (this.storage, this.paranoid, this.footer, this.mapping) = (storage, paranoid, footer, mapping);
        Path = path;
        Descriptor = descriptor;
        data = mapping.Address;
        salt = TableChecksum.Salt(footer.Origin, footer.OriginNumber);
        mapping.Populate(footer.Leases.Offset, descriptor.Length - footer.Leases.Offset);

        Properties = ReadProperties();
        smallestKey = Properties.SmallestKey;
        largestKey = Properties.LargestKey;
        smallestHead = KeyHead.Of(smallestKey);
        largestHead = KeyHead.Of(largestKey);

        ReadOnlySpan<byte> indexBytes = Region(footer.Index, "table index");
        if (!TableIndex.TryValidate(indexBytes, footer.DataLength, out TableIndexShape? shape, out DecodeError error))
            throw Corrupt(footer.Index.Offset + error.Offset, "table index", error);
        if (shape!.BlockCount != Properties.BlockCount)
            throw new CorruptionException(path, footer.Index.Offset, "table index", $"{Properties.BlockCount} blocks", $"{shape.BlockCount}");
        index = new TableIndexReader(data + footer.Index.Offset, shape);
        checkedBlocks = new ulong[(shape.BlockCount + 63) / 64];

        ReadOnlySpan<byte> filterBytes = Region(footer.Filter, "table filter");
        if (filterBytes.Length % TableFilter.LineBytes != 0)
            throw new CorruptionException(path, footer.Filter.Offset, "table filter");
        filter = data + footer.Filter.Offset;
        filterLines = (ulong)(filterBytes.Length / TableFilter.LineBytes);
        CheckLeases(shape.BlockCount);
    }

    /// <summary>
    /// Opens and maps a table and checks all of it but the data blocks.
    /// </summary>
    /// <param name="storage">The file system.</param>
    /// <param name="path">The file.</param>
    /// <param name="descriptor">What the manifest says of the file.</param>
    /// <param name="paranoid">Check a block's checksum on every touch, not once.</param>
    /// <exception cref="CorruptionException">The bytes are not a table, are damaged, or are another table than the descriptor's.</exception>
    /// <exception cref="UnsupportedFormatException">The file has a format version that this build does not read.</exception>
    /// <exception cref="IOException">The file cannot be opened, read or mapped.</exception>
    public static Table Open(IStorage storage, string path, TableDescriptor descriptor, bool paranoid)
    {
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("Tables are read in place, which takes a little-endian processor.");
        using IStorageFile file = storage.Open(path, FileIntent.Read);
        TableFooter footer = ReadFooter(file, path, descriptor);
        IMapping mapping = file.Map(descriptor.Length, MappingAccess.Table);
        try
        {
            return new Table(storage, path, descriptor, paranoid, footer, mapping);
        }
        catch
        {
            mapping.Dispose();
            throw;
        }
    }

    private static TableFooter ReadFooter(IStorageFile file, string path, TableDescriptor descriptor)
    {
        long length = file.Length;
        if (length != descriptor.Length)
            throw new CorruptionException(path, Math.Min(length, descriptor.Length), "table length", $"{descriptor.Length}", $"{length}");
        Span<byte> end = stackalloc byte[(int)Math.Min(length, 2 * TableFooter.Bytes)];
        file.Read(length - end.Length, end);
        if (!TableFooter.TryDecode(end, length, out TableFooter? footer, out uint version, out DecodeError error))
        {
            if (version != TableFooter.FormatVersion)
                throw new UnsupportedFormatException(path, version, TableFooter.FormatVersion);
            throw new CorruptionException(path, length - end.Length + error.Offset, $"table footer ({error.Reason})");
        }
        if (footer!.Origin != descriptor.Origin || footer.OriginNumber != descriptor.OriginNumber)
            throw new CorruptionException(path, footer.Offset, "table identity", $"{descriptor.Origin}/{descriptor.OriginNumber}", $"{footer.Origin}/{footer.OriginNumber}");
        return footer;
    }

    private TableProperties ReadProperties()
    {
        ReadOnlySpan<byte> bytes = Region(footer.Properties, "table properties");
        if (!TableProperties.TryDecode(bytes, out TableProperties? properties, out DecodeError error))
            throw Corrupt(footer.Properties.Offset + error.Offset, "table properties", error);
        if (properties!.RowCount != Descriptor.RowCount || properties.TombstoneCount != Descriptor.TombstoneCount || properties.LeaseCount != Descriptor.LeaseCount
            || !properties.SmallestKey.AsSpan().SequenceEqual(Descriptor.SmallestKey) || !properties.LargestKey.AsSpan().SequenceEqual(Descriptor.LargestKey))
            throw new CorruptionException(Path, footer.Properties.Offset, "table properties", "those of the manifest", "others");
        return properties;
    }

    private void CheckLeases(int blockCount)
    {
        ReadOnlySpan<byte> leases = Region(footer.Leases, "table leases");
        if (!TableLeases.TryValidate(leases, blockCount, out DecodeError error))
            throw Corrupt(footer.Leases.Offset + error.Offset, "table leases", error);
        int count = leases.Length / TableLeases.EntryBytes;
        if (count != Properties.LeaseCount
            || count != 0 && (TableLeases.Read(leases).Deadline != Properties.SmallestDeadline
                || TableLeases.Read(leases[^TableLeases.EntryBytes..]).Deadline != Properties.LargestDeadline))
            throw new CorruptionException(Path, footer.Leases.Offset, "table leases", "those that the properties count", "others");
    }

    private ReadOnlySpan<byte> Region(TableRegion region, string kind)
    {
        var bytes = new ReadOnlySpan<byte>(data + region.Offset, (int)region.Length);
        ulong actual = TableChecksum.Of(bytes, salt, region.Offset);
        if (actual != region.Checksum)
            throw new CorruptionException(Path, region.Offset, kind, $"checksum {region.Checksum:x16}", $"{actual:x16}");
        return bytes;
    }

    private CorruptionException Corrupt(long offset, string kind, DecodeError error) => new(Path, offset, $"{kind} ({error.Reason})");
}
