namespace Varve.Storage;

/// <summary>Hands out file numbers, each once in the life of a database. Safe for any thread.</summary>
internal sealed class FileNumbers(ulong next)
{
    private ulong _next = next;

    /// <summary>No number at or above this has been given out.</summary>
    public ulong Peek => Volatile.Read(ref _next);

    public ulong Next() => Interlocked.Increment(ref _next) - 1;

    /// <summary>Sees to it that numbers up to one met in the directory are not given out again.</summary>
    public void Above(ulong number)
    {
        if (number >= _next) _next = number + 1;
    }
}
