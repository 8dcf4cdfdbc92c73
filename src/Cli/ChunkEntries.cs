namespace Varve.Cli;

/// <summary>Counts the entries of an encoded chunk by their length prefixes alone, to size the results.</summary>
internal static class ChunkEntries
{
    /// <summary>How many length-delimited messages there are; what is malformed is left for the engine to name, and counts as one.</summary>
    public static int Count(ReadOnlySpan<byte> chunk)
    {
        var count = 0;
        while (!chunk.IsEmpty)
        {
            count++;
            ulong length = 0;
            var position = 0;
            while (true)
            {
                if (position == chunk.Length || position == 10) return count;
                var b = chunk[position];
                length |= (ulong)(b & 0x7F) << (7 * position++);
                if (b < 0x80) break;
            }

            if (length > (ulong)(chunk.Length - position)) return count;
            chunk = chunk[(position + (int)length)..];
        }

        return count;
    }
}
