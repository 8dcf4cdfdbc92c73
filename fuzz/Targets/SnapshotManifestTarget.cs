using System.Buffers.Binary;
using Varve.Format;
using ZstdSharp;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>
/// A snapshot's manifest. With <see cref="SealedInput.Reseal"/> the bytes are the payload, which is framed here; with
/// flag 2 they are a file whose header gets the length that the frame names.
/// </summary>
internal static class SnapshotManifestTarget
{
    private const byte FixLength = 2;
    private const int RawBlockMax = 128 << 10;
    private const int RawFrameOverhead = 4 + 1 + 4 + 3;

    public static ulong Run(ReadOnlySpan<byte> input)
    {
        var bytes = SealedInput.Open(input, out var flags);
        if ((flags & SealedInput.Reseal) != 0) bytes = Frame(bytes);
        else if ((flags & FixLength) != 0 && bytes.Length > SnapshotManifestCodec.HeaderSize
            && ZstdFrame.TryMeasure(bytes.AsSpan(SnapshotManifestCodec.HeaderSize), out _, out var content, out _))
        {
            SnapshotManifestCodec.EncodeHeader((int)Math.Min(content, int.MaxValue)).CopyTo(bytes, 0);
        }

        var decoded = SnapshotManifestCodec.TryDecode(bytes, out var manifest, out var error);
        Holds(decoded == (!error.IsFault), "a reason exactly for a refusal");
        if (!decoded) return Feature.Join(Feature.Of(error), flags & 1u);

        var payload = SnapshotManifestCodec.EncodePayload(manifest!);
        Holds(
            SnapshotManifestCodec.TryDecodePayload(payload, out var again, out _),
            "a manifest that is read when encoded again");
        Holds(
            SnapshotManifestCodec.EncodePayload(again!).AsSpan().SequenceEqual(payload),
            "the same bytes when encoded again");
        Holds((flags & SealedInput.Reseal) == 0 || payload.AsSpan().SequenceEqual(input[1..]), "a payload of one form");
        return Feature.Of("manifest", Feature.Bucket(manifest!.Tables.Length) << 1 | flags & 1u);
    }

    public static IEnumerable<(string, byte[])> Seeds() =>
    [
        ("file", [0, .. SnapshotManifestCodec.Encode(Samples.Manifest)]),
        ("file-length-fixed", [FixLength, .. SnapshotManifestCodec.Encode(Samples.Manifest)]),
        ("payload-resealed", [SealedInput.Reseal, .. SnapshotManifestCodec.EncodePayload(Samples.Manifest)]),
        ("no-tables-resealed", [SealedInput.Reseal, .. SnapshotManifestCodec.EncodePayload(
            Samples.Manifest with { Tables = [], State = MachineState.Empty(0, StoredLeaseClock.Local) })]),
        ("bomb", [0, .. Bomb()]),
    ];

    /// <summary>
    /// A manifest's file with the payload as it is, in one block: compressing it would be most of an execution.
    /// </summary>
    public static byte[] Frame(byte[] payload)
    {
        if (payload.Length > RawBlockMax)
        {
            using var compressor = new Compressor(1);
            return [.. SnapshotManifestCodec.EncodeHeader(payload.Length), .. compressor.Wrap(payload)];
        }

        var file = new byte[SnapshotManifestCodec.HeaderSize + RawFrameOverhead + payload.Length];
        SnapshotManifestCodec.EncodeHeader(payload.Length).CopyTo(file, 0);
        var frame = file.AsSpan(SnapshotManifestCodec.HeaderSize);
        BinaryPrimitives.WriteUInt32LittleEndian(frame, 0xFD2F_B528);
        frame[4] = 0xA0; // A content size of four bytes, and a single segment.
        BinaryPrimitives.WriteUInt32LittleEndian(frame[5..], (uint)payload.Length);
        var block = (uint)payload.Length << 3 | 1;
        BinaryPrimitives.WriteUInt16LittleEndian(frame[9..], (ushort)block);
        frame[11] = (byte)(block >> 16);
        payload.CopyTo(frame[RawFrameOverhead..]);
        return file;
    }

    /// <summary>64 MiB of zeros in a few bytes: the most that a reader is ready to hold.</summary>
    private static byte[] Bomb()
    {
        const int block = 128 << 10;
        const int blocks = SnapshotManifestCodec.PayloadLengthMax / block;
        var frame = new byte[4 + 1 + 1 + 4 + 4 * blocks];
        BinaryPrimitives.WriteUInt32LittleEndian(frame, 0xFD2F_B528);
        frame[4] = 0x80; // A content size of four bytes, and a window.
        frame[5] = 0x38; // A window of 128 KiB.
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(6), SnapshotManifestCodec.PayloadLengthMax);
        for (var i = 0; i < blocks; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(
                frame.AsSpan(10 + 4 * i), (uint)(block << 3 | 1 << 1 | (i == blocks - 1 ? 1 : 0)));
        return [.. SnapshotManifestCodec.EncodeHeader(SnapshotManifestCodec.PayloadLengthMax), .. frame];
    }
}
