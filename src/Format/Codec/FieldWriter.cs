using System.Buffers;
using System.Buffers.Binary;

namespace Varve.Format;

/// <summary>Writes the fixed-width little-endian fields that <see cref="FieldReader"/> reads.</summary>
internal readonly ref struct FieldWriter(IBufferWriter<byte> destination)
{
    public void U8(byte value)
    {
        destination.GetSpan(1)[0] = value;
        destination.Advance(1);
    }

    public void U16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(destination.GetSpan(2), value);
        destination.Advance(2);
    }

    public void U32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination.GetSpan(4), value);
        destination.Advance(4);
    }

    public void U64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(destination.GetSpan(8), value);
        destination.Advance(8);
    }

    public void U128(UInt128 value)
    {
        BinaryPrimitives.WriteUInt128LittleEndian(destination.GetSpan(16), value);
        destination.Advance(16);
    }

    public void Identifier(Guid value)
    {
        value.TryWriteBytes(destination.GetSpan(16), bigEndian: true, out _);
        destination.Advance(16);
    }

    public void Bytes(ReadOnlySpan<byte> value) => destination.Write(value);

    public void Blob(ReadOnlySpan<byte> value)
    {
        U32((uint)value.Length);
        Bytes(value);
    }
}
