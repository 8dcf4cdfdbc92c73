namespace Varve.Format;

/// <summary>Writes what <see cref="ChunkColumns"/> reads.</summary>
internal static class ChunkColumnsWriter
{
    private const int VarintSizeMax = 10;

    /// <summary>Which columns the entries need.</summary>
    public static ColumnFlags Needed(ReadOnlySpan<EntryPosition> entries)
    {
        var flags = ColumnFlags.None;
        ref readonly var last = ref entries[^1];
        if (last.Index - entries[0].Index != (ulong)entries.Length - 1) flags |= ColumnFlags.Indexes;
        if (entries[0].Term != last.Term) flags |= ColumnFlags.Terms; // terms never decrease
        if (entries[0].LogTimeMs != last.LogTimeMs) flags |= ColumnFlags.Times; // nor does the log time
        foreach (ref readonly var entry in entries)
        {
            if (!entry.Refused) continue;
            flags |= ColumnFlags.Refused;
            break;
        }

        return flags;
    }

    /// <summary>An upper bound of <see cref="Write"/>'s length, padding included.</summary>
    public static long SizeMax(int count, ColumnFlags flags)
    {
        var columns = System.Numerics.BitOperations.PopCount((uint)(flags & ~(ColumnFlags.Refused | ColumnFlags.Mark)));
        var bits = (flags & ColumnFlags.Refused) == 0 ? 1 : 2;
        var mark = (flags & ColumnFlags.Mark) == 0 ? 0 : 1 + LogMark.LengthMax;
        return (bits * ((count + 7L) / 8) + (long)columns * count * VarintSizeMax + mark + 7) & ~7L;
    }

    /// <summary>Writes the outcomes, which are first in the payload and known last.</summary>
    public static void WriteOutcomes(Span<byte> destination, ReadOnlySpan<EntryPosition> entries)
    {
        destination[..((entries.Length + 7) / 8)].Clear();
        for (var i = 0; i < entries.Length; i++)
            if (entries[i].Succeeded) destination[i >> 3] |= (byte)(1 << (i & 7));
    }

    /// <summary>Writes all columns, padded to 8, and returns their length.</summary>
    public static int Write(
        Span<byte> destination, ReadOnlySpan<EntryPosition> entries, ColumnFlags flags, in LogMark mark = default)
    {
        var length = (entries.Length + 7) / 8;
        WriteOutcomes(destination, entries);
        if ((flags & ColumnFlags.Refused) != 0)
        {
            var refused = destination.Slice(length, length);
            refused.Clear();
            for (var i = 0; i < entries.Length; i++)
                if (entries[i].Refused) refused[i >> 3] |= (byte)(1 << (i & 7));
            length *= 2;
        }

        if ((flags & ColumnFlags.Indexes) != 0)
            for (var i = 1; i < entries.Length; i++)
                length += WriteVarint(destination[length..], entries[i].Index - entries[i - 1].Index - 1);
        if ((flags & ColumnFlags.Terms) != 0)
            for (var i = 0; i < entries.Length; i++)
                length += WriteVarint(destination[length..], entries[i].Term - (i == 0 ? 0 : entries[i - 1].Term));
        if ((flags & ColumnFlags.Times) != 0)
            for (var i = 0; i < entries.Length; i++)
                length += WriteVarint(
                    destination[length..], entries[i].LogTimeMs - (i == 0 ? 0 : entries[i - 1].LogTimeMs));

        if ((flags & ColumnFlags.Mark) != 0)
        {
            destination[length++] = (byte)mark.Length;
            mark.Bytes.CopyTo(destination[length..]);
            length += mark.Length;
        }

        var padded = (length + 7) & ~7;
        destination[length..padded].Clear();
        return padded;
    }

    private static int WriteVarint(Span<byte> destination, ulong value)
    {
        var length = 0;
        for (; value >= 0x80; value >>= 7) destination[length++] = (byte)(value | 0x80);
        destination[length++] = (byte)value;
        return length;
    }
}
