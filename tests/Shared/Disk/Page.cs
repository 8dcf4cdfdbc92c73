using System.IO.Hashing;

namespace Varve.Tests.Shared.Disk;

/// <summary>
/// One content of one page of a file, as it was at a moment. Never changes; null stands for a page of zeros.
/// </summary>
internal sealed class Page
{
    public const int Size = 4096;
    public const int SectorSize = 512;
    public const int Sectors = Size / SectorSize;

    /// <summary>In a file's list of known pages: what is in memory there has no name.</summary>
    public static readonly Page Unknown = new([]);

    private static readonly byte[] Zeros = new byte[Size];
    private readonly byte[] _data;
    private ulong[]? _hashes;

    private Page(byte[] data) => _data = data;

    public static Page? Of(ReadOnlySpan<byte> content)
    {
        if (content.SequenceEqual(Zeros)) return null;
        var copy = GC.AllocateUninitializedArray<byte>(Size);
        content.CopyTo(copy);
        return new Page(copy);
    }

    public static ReadOnlySpan<byte> Bytes(Page? page) => page is null ? Zeros : page._data;

    public static ReadOnlySpan<byte> Sector(Page? page, int sector) =>
        Bytes(page).Slice(sector * SectorSize, SectorSize);

    public static bool SameSector(Page? a, Page? b, int sector) =>
        ReferenceEquals(a, b) || SectorHash(a, sector) == SectorHash(b, sector);

    /// <summary>Stands for a sector's content; 0: zeros.</summary>
    public static ulong SectorHash(Page? page, int sector)
    {
        if (page is null) return 0;
        if (page._hashes is null)
        {
            var all = new ulong[Sectors];
            for (var i = 0; i < Sectors; i++)
            {
                var bytes = Sector(page, i);
                all[i] = bytes.IndexOfAnyExcept((byte)0) < 0 ? 0 : XxHash3.HashToUInt64(bytes);
            }

            page._hashes = all;
        }

        return page._hashes[sector];
    }
}
