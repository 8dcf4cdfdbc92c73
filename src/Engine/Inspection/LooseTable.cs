using System.IO.Hashing;
using Varve.Contract;
using Varve.Format;
using Varve.Storage;
using Varve.Tables;

namespace Varve.Inspection;

/// <summary>Describes a table file that no manifest describes.</summary>
internal static class LooseTable
{
    private const int Piece = 1 << 20;

    /// <summary>
    /// Makes the descriptor from the file itself; null, after a report, if footer or properties are damaged.
    /// </summary>
    public static TableDescriptor? Describe(IStorage storage, string path, ulong number, Action<VarveException> report)
    {
        using var file = storage.Open(path, FileIntent.Read);
        var length = file.Length;
        if (!TableParts.TryReadFooter(file, length, out var footer, out var error))
        {
            report(DecodeFailure.Of(path, 0, CorruptionKind.TableFooter, error));
            return null;
        }

        var hash = HashOf(file, length);
        using var mapping = file.Map(length, MappingAccess.Table);
        VarveException? damage = null;
        if (new TableParts(path, null, footer!, mapping, found => damage ??= found).Properties is { } properties)
        {
            return new TableDescriptor
            {
                Origin = footer!.Origin,
                OriginNumber = footer.OriginNumber,
                Number = number,
                Length = length,
                Hash = hash,
                RowCount = properties.RowCount,
                TombstoneCount = properties.TombstoneCount,
                LeaseCount = properties.LeaseCount,
                SmallestKey = properties.SmallestKey,
                LargestKey = properties.LargestKey,
            };
        }

        report(damage!);
        return null;
    }

    private static UInt128 HashOf(IStorageFile file, long length)
    {
        var hash = new XxHash128();
        var buffer = new byte[Math.Min(Piece, length)];
        for (long at = 0; at < length; at += Piece)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(Piece, length - at));
            file.Read(at, part);
            hash.Append(part);
        }

        return hash.GetCurrentHashAsUInt128();
    }
}
