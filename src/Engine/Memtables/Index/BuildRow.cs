using System.Runtime.InteropServices;

namespace Varve.Memtables;

/// <summary>A row of an index that is built at once.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct BuildRow
{
    /// <summary>
    /// While operations are collected, the hash of the key; later eight bytes of it, as in <see cref="RowBlock"/>.
    /// </summary>
    public ulong Head;

    /// <summary>What the row is: an operation, or above level 0 a block.</summary>
    public uint Row;

    /// <summary>The operation that has the row's key; 0: the empty key.</summary>
    public uint Anchor;
}
