using System.Diagnostics;

namespace Varve.Bench.Peers;

/// <summary>
/// Fresh page cache comes from memory that was freed a moment ago, at gigabytes a second, or from the host of a virtual
/// machine, at a tenth of that. An engine that runs after another has deleted its files is flattered by it. So a file
/// as large as a row will need is written and deleted right before the row, for every engine alike; how fast that went
/// is printed beside the row.
/// </summary>
internal static class PageSupply
{
    private const int PieceBytes = 1 << 20;
    private const long BytesMin = 64 << 20;
    private const long BytesMax = 4L << 30;

    /// <summary>Log, tables and what merges write beside them, for each byte of the user's.</summary>
    private const double BytesPerUserByte = 5;

    /// <summary>Warms the supply; gives the gigabytes a second that the second half was written at.</summary>
    /// <param name="directory">Where the database will be.</param>
    /// <param name="userBytes">Keys and values of the row.</param>
    public static double Warm(string directory, double userBytes)
    {
        var pieces = (int)(Math.Clamp((long)(userBytes * BytesPerUserByte), BytesMin, BytesMax) / PieceBytes);
        var piece = new byte[PieceBytes];
        var path = Path.Combine(directory, "page-supply");
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write, options: FileOptions.DeleteOnClose);
        long start = 0;
        for (var i = 0; i < pieces; i++)
        {
            if (i == pieces / 2) start = Stopwatch.GetTimestamp();
            RandomAccess.Write(file, piece, (long)i * PieceBytes);
        }

        return (pieces - pieces / 2) * (double)PieceBytes / 1e9 / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
