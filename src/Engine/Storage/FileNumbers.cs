using System.Globalization;
using Varve.Format;

namespace Varve.Storage;

/// <summary>Allocates file numbers, each once in the life of a database (I6). Any thread.</summary>
internal sealed class FileNumbers(ulong next)
{
    /// <summary>
    /// The limit beyond the manifest's next number for files of this database: more files than it makes between two
    /// edits. A file beyond the limit is not the engine's and is ignored, so that a stray name cannot use up the
    /// numbers.
    /// </summary>
    public const ulong PlausibleAhead = 1UL << 32;

    private ulong _next = next;

    /// <summary>No number at or above this was allocated.</summary>
    public ulong Peek => Volatile.Read(ref _next);

    /// <summary>Allocates a number.</summary>
    /// <exception cref="IOException">No number is left below <see cref="VersionEdit.FileNumberLimit"/>.</exception>
    public ulong Next()
    {
        var seen = Volatile.Read(ref _next);
        while (seen < VersionEdit.FileNumberLimit)
        {
            var before = Interlocked.CompareExchange(ref _next, seen + 1, seen);
            if (before == seen) return seen;
            seen = before;
        }

        throw new IOException(string.Create(
            CultureInfo.InvariantCulture,
            $"The database has no file numbers left: {seen} is the last. Make a new one from a snapshot."));
    }

    /// <summary>Raises the next number above one that a file of the directory has.</summary>
    public void Above(ulong number)
    {
        for (var seen = Volatile.Read(ref _next); number >= seen;)
        {
            var before = Interlocked.CompareExchange(
                ref _next, Math.Min(number, VersionEdit.FileNumberLimit - 1) + 1, seen);
            if (before == seen) return;
            seen = before;
        }
    }
}
