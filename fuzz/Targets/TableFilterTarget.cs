using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Varve.Format;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>
/// A filter of any bytes: eight hashes, then the filter. Vector and plain code agree, and added keys are found.
/// </summary>
internal static class TableFilterTarget
{
    private const int Hashes = 8;

    public static ulong Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < Hashes * sizeof(ulong)) return 0;
        var filter = input[(Hashes * sizeof(ulong))..].ToArray();
        filter = filter[..(filter.Length / TableFilter.LineBytes * TableFilter.LineBytes)];
        ulong held = 0;
        for (var i = 0; i < Hashes; i++)
        {
            var hash = BinaryPrimitives.ReadUInt64LittleEndian(input[(i * sizeof(ulong))..]);
            var may = TableFilter.MayContain(filter, hash);
            held += may ? 1u : 0u;
            if (filter.Length == 0) continue;
            var offset = TableFilter.LineOffset(hash, (ulong)filter.Length / TableFilter.LineBytes);
            Holds(offset % TableFilter.LineBytes == 0 && offset < (nuint)filter.Length, "a line inside the filter");
            Holds(
                may == TableFilter.LineMayContainScalar(
                    ref MemoryMarshal.GetReference(filter.AsSpan((int)offset)), hash),
                "one answer from vector and plain code");
            TableFilter.Add(filter, hash);
            Holds(TableFilter.MayContain(filter, hash), "what was added");
        }

        return held << 8 | Feature.Bucket(filter.Length);
    }

    public static IEnumerable<(string, byte[])> Seeds()
    {
        var filter = new byte[Hashes * sizeof(ulong) + 3 * TableFilter.LineBytes];
        for (var i = 0; i < Hashes; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(filter.AsSpan(i * sizeof(ulong)), TestHash.Of([(byte)i]));
            if (i % 2 == 0) TableFilter.Add(filter.AsSpan(Hashes * sizeof(ulong)), TestHash.Of([(byte)i]));
        }

        return [("three-lines", filter)];
    }
}
