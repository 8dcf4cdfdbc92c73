using Varve.Format;

namespace Varve.Cli.Data;

/// <summary>Counts the entries of an encoded chunk by their length prefixes alone, to size the results.</summary>
internal static class ChunkEntries
{
    /// <summary>
    /// How many length-delimited messages there are; what is malformed is left for the engine to name, and counts as
    /// one.
    /// </summary>
    public static int Count(ReadOnlySpan<byte> chunk)
    {
        var count = 0;
        var position = 0;
        while (position < chunk.Length)
        {
            count++;
            if (!WireVarint.TryRead(chunk, ref position, out var length) || length > (ulong)(chunk.Length - position))
                break;
            position += (int)length;
        }

        return count;
    }
}
