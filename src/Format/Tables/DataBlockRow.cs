namespace Varve.Format;

/// <summary>One row on its way into a data block; key and value are ranges of one byte buffer.</summary>
internal readonly record struct DataBlockRow(
    int KeyOffset, ushort KeyLength, int ValueOffset, int ValueLength, RecordKind Kind, ulong Deadline, byte Tag)
{
    public int TrailerBytes => Kind == RecordKind.LeasedPut ? sizeof(ulong) : 0;
}
