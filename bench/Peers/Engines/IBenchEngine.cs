namespace Varve.Bench.Peers.Engines;

/// <summary>
/// One engine under test. Work that is not to be timed (encoding, allocation of inputs) is in members of its own. Each
/// chunk is applied atomically together with its applied index, or as near to that as the engine can:
/// <see cref="Notes"/> says so. Disposing is the clean close.
/// </summary>
internal interface IBenchEngine : IDisposable
{
    /// <summary>The name used on the command line and in results.</summary>
    string Name { get; }

    /// <summary>The settings in force, one sentence each, for the report.</summary>
    IReadOnlyList<string> Notes { get; }

    /// <summary>True if an acknowledged chunk always survives a kill of the process.</summary>
    bool KeepsAllWhenKilled => true;

    /// <summary>True if <see cref="Checkpoint"/> is supported.</summary>
    bool HasCheckpoint => true;

    /// <summary>True if keys have an order, so that there are scans.</summary>
    bool IsOrdered => true;

    /// <summary>A name for <see cref="EngineSettings.Access"/> besides the usual one; null: there is none.</summary>
    string? OtherAccess => null;

    /// <summary>
    /// Opens the database in <paramref name="directory"/>, which exists; a fresh one where the directory is empty.
    /// </summary>
    void Open(string directory, EngineSettings settings);

    /// <summary>
    /// Builds the input of <paramref name="count"/> entries from position <paramref name="first"/>, in the form that
    /// this engine takes fastest. Not timed. Entry p of the log has index p + 1, so positions follow those that were
    /// applied before.
    /// </summary>
    PreparedChunks Prepare(IEntries entries, long first, int count, int chunkEntries);

    /// <summary>A reader for the calling thread.</summary>
    IBenchReader OpenReader();

    /// <summary>Flushes and merges until nothing is left to do in the background.</summary>
    void Settle();

    /// <summary>Writes a consistent copy of the state to <paramref name="directory"/>, which does not exist.</summary>
    void Checkpoint(string directory);

    /// <summary>
    /// The exact number of keys, in the engine's cheapest way; the applied index of a peer may be counted.
    /// </summary>
    long Count();

    /// <summary>
    /// Adds what the engine says of itself: <c>memtable_bytes</c> and <c>log_bytes</c> where it can, stalls, files.
    /// </summary>
    void Describe(IDictionary<string, double> figures);
}

/// <summary>The settings of a run, for any engine.</summary>
internal sealed record EngineSettings
{
    /// <summary>The settings of most rows.</summary>
    public static EngineSettings Usual { get; } = new();

    /// <summary>Small memtables, so that a short warm-up goes through flushes and merges too.</summary>
    public static EngineSettings WarmUp { get; } = new() { MemtableBytes = 1 << 20 };

    /// <summary>Every chunk survives power loss when its apply returns.</summary>
    public bool Durable { get; init; }

    /// <summary>
    /// True if an engine keeps its default history: no peer has one, so rows of space are measured without.
    /// </summary>
    public bool KeepsHistory { get; init; } = true;

    /// <summary>The size of a memtable.</summary>
    public long MemtableBytes { get; init; } = 64 << 20;

    /// <summary>The size of a block cache, for engines that have one of their own.</summary>
    public long CacheBytes { get; init; } = 4L << 30;

    /// <summary>The access to tables: null as usual, or the engine's <see cref="IBenchEngine.OtherAccess"/>.</summary>
    public string? Access { get; init; }
}

/// <summary>Chunks ready to be applied in order, each once.</summary>
internal abstract class PreparedChunks : IDisposable
{
    public abstract int Count { get; }

    /// <summary>Applies one chunk with its applied index. This is what is timed.</summary>
    public abstract void Apply(int chunk);

    public abstract void Dispose();
}
