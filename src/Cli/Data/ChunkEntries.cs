using Varve.Format;

namespace Varve.Cli.Data;

/// <summary>Counts the entries of an encoded chunk by their length prefixes alone, to size its results.</summary>
internal static class ChunkEntries
{
    /// <summary>
    /// Returns the number of length-delimited messages. Malformed bytes count as one: the engine reports them.
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
