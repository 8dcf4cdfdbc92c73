namespace Varve.Bench.Peers.Engines;

/// <summary>What a run asks of an engine, whichever it is.</summary>
/// <param name="Durable">Every chunk survives power loss when its apply returns.</param>
internal sealed record EngineSettings(bool Durable);

/// <summary>
/// One engine under test. Work that is not to be timed (encoding, allocation of inputs, opening) is in members of its own.
/// Each chunk is applied atomically together with its applied index, or as near to that as the engine can: <see cref="Notes"/> says so.
/// </summary>
internal interface IBenchEngine : IDisposable
{
    /// <summary>The name used on the command line and in results.</summary>
    string Name { get; }

    /// <summary>The settings in force, one sentence each, for the report.</summary>
    IReadOnlyList<string> Notes { get; }

    /// <summary>Opens a fresh database in <paramref name="directory"/>, which exists and is empty.</summary>
    void Open(string directory, EngineSettings settings);

    /// <summary>Builds the input for <paramref name="count"/> entries from <paramref name="first"/>, in the form that this engine takes fastest. Not timed.</summary>
    PreparedChunks Prepare(EntrySource source, long first, int count, int chunkEntries);

    /// <summary>A reader for the calling thread.</summary>
    IBenchReader OpenReader();

    /// <summary>Flushes and merges until nothing is left to do in the background.</summary>
    void Settle();

    /// <summary>Writes a consistent copy of the state to <paramref name="directory"/>, which does not exist.</summary>
    void Checkpoint(string directory);
}

/// <summary>Chunks ready to be applied in order, each once.</summary>
internal abstract class PreparedChunks : IDisposable
{
    public abstract int Count { get; }

    /// <summary>Applies one chunk with its applied index. This is what is timed.</summary>
    public abstract void Apply(int chunk);

    public abstract void Dispose();
}

/// <summary>Reads of one thread.</summary>
internal interface IBenchReader : IDisposable
{
    /// <summary>Copies the value of a key out of the engine; its length, or -1 when the key is absent.</summary>
    int Get(ReadOnlySpan<byte> key, Span<byte> destination);

    /// <summary>Visits every entry under a prefix and gives how many there were.</summary>
    long ScanPrefix(ReadOnlySpan<byte> prefix, ref ulong seen);

    /// <summary>Visits every entry in key order and gives how many there were.</summary>
    long ScanAll(ref ulong seen);
}

/// <summary>A second way of reading that an engine offers, reported beside the first.</summary>
internal interface IManagedReader
{
    /// <summary>As <see cref="IBenchReader.Get"/>, through the package's ordinary managed call.</summary>
    int GetManaged(ReadOnlySpan<byte> key, Span<byte> destination);
}

/// <summary>A third way: a pinned value, copied by the caller.</summary>
internal interface IPinnedReader
{
    /// <summary>As <see cref="IBenchReader.Get"/>, with the engine's pinned slice.</summary>
    int GetPinned(ReadOnlySpan<byte> key, Span<byte> destination);
}

/// <summary>What a scan does with each entry: the same for all engines, and enough that key and value are really there.</summary>
internal static class Visit
{
    public static void Entry(ref ulong seen, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
        seen += key[^1] + ((ulong)value[0] << 8) + (uint)value.Length;
}
