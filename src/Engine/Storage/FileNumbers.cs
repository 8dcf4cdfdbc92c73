using System.Globalization;
using Varve.Format;

namespace Varve.Storage;

/// <summary>Hands out file numbers, each once in the life of a database. Safe for any thread.</summary>
internal sealed class FileNumbers(ulong next)
{
    /// <summary>
    /// How far beyond the manifest's next number a file can be that this database made: more files than between two
    /// edits. What lies further is not ours and does not count, so that a stray name cannot use up the numbers.
    /// </summary>
    public const ulong PlausibleAhead = 1UL << 32;

    private ulong _next = next;

    /// <summary>No number at or above this has been given out.</summary>
    public ulong Peek => Volatile.Read(ref _next);

    /// <summary>A number that has never been given out.</summary>
    /// <exception cref="IOException">There is none left below <see cref="VersionEdit.FileNumberLimit"/>.</exception>
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

    /// <summary>Sees to it that numbers up to one met in the directory are not given out again.</summary>
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
