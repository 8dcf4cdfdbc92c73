using System.IO.Pipelines;
using Varve.Snapshots;
using Varve.Tests.Shared.Disk;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>
/// A packed snapshot that arrives through a pipe, in pieces. The input is that of <see cref="PackedSnapshotTarget"/>;
/// four more bits of its flags have the length of the pieces, and the highest says that the stream may go on behind the
/// pack. A stream is unpacked as the file of the same bytes is, or refused as that is.
/// </summary>
internal static class PackStreamTarget
{
    private const int PieceShift = 2;
    private const byte PieceMask = 15;
    private const byte GoesOn = 128;
    private const string Pack = "/pack";

    public static ulong Run(ReadOnlySpan<byte> input)
    {
        var bytes = PackedSnapshotTarget.Packed(input, out var flags);
        var piece = 1 << (flags >> PieceShift & PieceMask);
        var mayGoOn = (flags & GoesOn) != 0;
        using var storage = new SimFs();
        var source = PipeReader.Create(new PiecewiseStream(bytes, piece));
        var isWhole = IsWholeFile(bytes, out var fileNames);
        try
        {
            var unpacking = PackUnpacker.UnpackStreamAsync(
                storage, source, PackedSnapshotTarget.Staging, endsWithPack: !mayGoOn, CancellationToken.None);
            Holds(unpacking.IsCompleted, "no wait for bytes that are there");
            unpacking.GetAwaiter().GetResult();
        }
        catch (VarveException rejected) when (rejected is SnapshotRejectedException or UnsupportedFormatException)
        {
            Holds(!isWhole, "a stream taken where the file of its bytes is");
            PackedSnapshotTarget.CheckNames(storage);
            return Feature.Of(PackedSnapshotTarget.Reason(rejected), (ulong)PackedSnapshotTarget.Files(storage).Count);
        }

        Holds(isWhole || mayGoOn, "a stream refused where the file of its bytes is");
        PackedSnapshotTarget.CheckNames(storage);
        if (!isWhole) return Feature.Of("unpacked, and more follows", (ulong)PackedSnapshotTarget.Files(storage).Count);
        Holds(PackedSnapshotTarget.Files(storage).SequenceEqual(fileNames), "the files that the file of its bytes has");
        return Feature.Of("unpacked", (ulong)fileNames.Count);
    }

    public static IEnumerable<(string, byte[])> Seeds()
    {
        foreach (var (name, input) in PackedSnapshotTarget.Seeds())
        {
            yield return (name, [(byte)(input[0] | 6 << PieceShift), .. input.AsSpan(1)]);
            yield return ($"{name}-goes-on", [(byte)(input[0] | 12 << PieceShift | GoesOn), .. input.AsSpan(1)]);
        }
    }

    private static bool IsWholeFile(byte[] bytes, out List<string> names)
    {
        using var storage = new SimFs { [Pack] = bytes };
        names = [];
        try
        {
            PackUnpacker.Unpack(storage, Pack, PackedSnapshotTarget.Staging);
        }
        catch (VarveException rejected) when (rejected is SnapshotRejectedException or UnsupportedFormatException)
        {
            return false;
        }

        storage.Delete(Pack);
        names = [.. PackedSnapshotTarget.Files(storage)];
        return true;
    }

    /// <summary>Gives at most so many bytes at a read.</summary>
    private sealed class PiecewiseStream(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, piece)], cancellationToken);
    }
}
