namespace Varve.Format;

/// <summary>A table and the run it belongs to; a run of a higher order is newer.</summary>
internal readonly record struct AddedTable(ulong RunOrder, TableDescriptor Table);
