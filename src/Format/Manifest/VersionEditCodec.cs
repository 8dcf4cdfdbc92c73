using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Varve.Format;

/// <summary>
/// The bytes of a <see cref="VersionEdit"/>: the payload of one manifest record.
/// <code>
///   0  u16  version           1
///   2  u8   flags             bit 0: replace; bit 1: a machine state follows; the others are zero
///   3  u64  next file number
///  11  u64  first segment
///  19  with flag bit 1: a machine state (MachineStateCodec)
///      u32  removed count, then u64 table number each
///      u32  added count, then each: u64 run order, a table descriptor (TableDescriptorCodec)
/// </code>
/// No number is removed twice or added twice (one may be both: a table that changes its run), and added numbers are
/// below the next file number, which is 2^63 at most. All integers are little endian.
/// </summary>
internal static class VersionEditCodec
{
    public const ushort Version = 1;

    private const byte Replace = 1;
    private const byte HasState = 2;

    public static byte[] Encode(VersionEdit edit)
    {
        var buffer = new ArrayBufferWriter<byte>();
        Encode(buffer, edit);
        return buffer.WrittenSpan.ToArray();
    }

    /// <exception cref="ArgumentException">The record breaks one of its own rules, so that no reader would take
    /// it.</exception>
    public static void Encode(IBufferWriter<byte> destination, VersionEdit edit)
    {
        if (Fault(edit) is { } fault) throw new ArgumentException(fault.ToString(), nameof(edit));
        var writer = new FieldWriter(destination);
        writer.U16(Version);
        writer.U8((byte)((edit.Replace ? Replace : 0) | (edit.State is null ? 0 : HasState)));
        writer.U64(edit.NextFileNumber);
        writer.U64(edit.FirstSegment);
        if (edit.State is not null) MachineStateCodec.Encode(destination, edit.State);
        writer.U32((uint)edit.Removed.Length);
        foreach (var number in edit.Removed) writer.U64(number);
        AddedTableCodec.Encode(destination, edit.Added);
    }

    public static bool TryDecode(
        ReadOnlySpan<byte> source, [NotNullWhen(true)] out VersionEdit? edit, out DecodeError error)
    {
        var reader = new FieldReader(source);
        edit = Read(ref reader);
        error = reader.Error;
        if (reader.Failed) edit = null;
        return edit is not null;
    }

    private static VersionEdit? Read(ref FieldReader reader)
    {
        reader.Version(Version, "version edit");
        var flags = reader.Flags(Replace | HasState, "version edit");
        var edit = new VersionEdit
        {
            Replace = (flags & Replace) != 0,
            NextFileNumber = reader.U64("next file number"),
            FirstSegment = reader.U64("first segment"),
            State = (flags & HasState) == 0 ? null : MachineStateCodec.Read(ref reader),
            Removed = ReadRemoved(ref reader),
            Added = AddedTableCodec.Read(ref reader),
        };
        reader.End("version edit");
        if (reader.Failed) return null;
        if (Fault(edit) is not { } fault) return edit;
        reader.Fail(0, fault.Field, fault.Problem);
        return null;
    }

    private static ulong[] ReadRemoved(ref FieldReader reader)
    {
        var count = reader.Count(sizeof(ulong), "removed table count");
        if (reader.Failed) return [];
        var numbers = new ulong[count];
        foreach (ref var number in numbers.AsSpan()) number = reader.U64("removed table number");
        return numbers;
    }

    /// <summary>The first rule that the record breaks, or null.</summary>
    private static FieldFault? Fault(VersionEdit edit)
    {
        if (edit.NextFileNumber > VersionEdit.FileNumberLimit) return new("next file number", "is above 2^63");
        var numbers = new HashSet<ulong>();
        foreach (var number in edit.Removed)
            if (!numbers.Add(number)) return new("table", "is removed twice");
        numbers.Clear();
        foreach (var added in edit.Added)
        {
            if (!numbers.Add(added.Table.Number)) return new("table", "is added twice");
            if (added.Table.Number >= edit.NextFileNumber)
                return new("table number", "is not below the next file number");
        }

        return null;
    }
}
