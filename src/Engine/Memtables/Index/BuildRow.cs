using System.Runtime.InteropServices;

namespace Varve.Memtables;

/// <summary>A row of an index that is built at once.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct BuildRow
{
    /// <summary>
    /// The hash of the key while operations are collected; later its head, as in <see cref="RowBlock"/>.
    /// </summary>
    public ulong Head;

    /// <summary>The operation of the row; above level 0, its block.</summary>
    public uint Row;

    /// <summary>The operation that has the row's key; 0: the empty key.</summary>
    public uint Anchor;
}
