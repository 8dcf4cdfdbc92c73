using System.Buffers.Binary;
using System.IO.Hashing;
using Varve.Format;
using Varve.Versions;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>A manifest file from its header over every record to the version that its edits add up to.</summary>
internal static class ManifestLogTarget
{
    private const int ChecksumOffset = 40;

    public static ulong Run(ReadOnlySpan<byte> input)
    {
        var bytes = SealedInput.Open(input, out var flags);
        if ((flags & SealedInput.Reseal) != 0) Reseal(bytes);
        var decoded = ManifestLog.TryDecodeHeader(bytes, out var database, out var salt, out var error);
        ErrorFits(decoded, error, bytes.Length);
        if (!decoded) return Feature.Of(error);
        Holds(
            ManifestLog.EncodeHeader(database, salt).AsSpan().SequenceEqual(bytes.AsSpan(0, ManifestLog.HeaderSize)),
            "the same header when encoded again");

        var content = new ManifestContent();
        long offset = ManifestLog.HeaderSize;
        for (ulong records = 0; ; records++)
        {
            var result = ManifestLog.TryReadRecord(bytes, offset, salt, out var payload, out var next);
            if (result != ManifestReadResult.Record) return Feature.Join((ulong)result, Feature.Bucket((long)records));
            Holds(
                next > offset && next <= bytes.Length && next % ManifestLog.Alignment == 0,
                "a record that takes room inside the file");
            if (!VersionEditCodec.TryDecode(payload, out var edit, out error))
                return Feature.Join(Feature.Of(error), Feature.Bucket((long)records));
            if (content.Apply(edit) is { } fault) return Feature.Of(fault, Feature.Bucket((long)records));
            if (content.FindOverlap() is { } overlap) return Feature.Of(overlap, Feature.Bucket((long)records));
            offset = next;
        }
    }

    public static IEnumerable<(string, byte[])> Seeds()
    {
        const ulong salt = 0xA5A5_0001;
        var file = ManifestLog.EncodeHeader(Samples.Database, salt);
        foreach (var edit in new[] { Samples.Edit, Samples.Compaction })
            file = [.. file, .. ManifestLog.EncodeRecord(salt, file.Length, VersionEditCodec.Encode(edit))];
        return [.. SealedInput.Seeds("two-edits", file), .. SealedInput.Seeds("zero-tail", [.. file, .. new byte[64]])];
    }

    private static void Reseal(Span<byte> file)
    {
        if (file.Length < ManifestLog.HeaderSize) return;
        BinaryPrimitives.WriteUInt64LittleEndian(file[ChecksumOffset..], XxHash3.HashToUInt64(file[..ChecksumOffset]));
        var salt = BinaryPrimitives.ReadUInt64LittleEndian(file[32..]);
        for (var at = ManifestLog.HeaderSize; file.Length - at >= ManifestLog.RecordHeaderSize;)
        {
            var record = file[at..];
            var length = BinaryPrimitives.ReadUInt32LittleEndian(record[8..]);
            if (length == 0 || length > record.Length - ManifestLog.RecordHeaderSize) return;
            BinaryPrimitives.WriteUInt64LittleEndian(record[12..], (ulong)at);
            var end = ManifestLog.RecordHeaderSize + (int)length;
            BinaryPrimitives.WriteUInt64LittleEndian(
                record, XxHash3.HashToUInt64(record[8..end], unchecked((long)salt)));
            at += (end + 7) & ~7;
        }
    }
}
