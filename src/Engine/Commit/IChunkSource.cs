namespace Varve.Commit;

/// <summary>
/// The keys and values of a decoded chunk: in the caller's encoded bytes, or in the caller's commands. The caller may
/// change them during the call. So each is read once; if it has not the length of the decoded entry, the read throws.
/// </summary>
internal interface IChunkSource
{
    /// <summary>The name of the caller's parameter.</summary>
    static abstract string ParameterName { get; }

    ReadOnlySpan<byte> Key(int entry);

    ReadOnlySpan<byte> Value(int entry);

    /// <summary>The expected value of a compare-and-swap; false if it expects the key to be absent.</summary>
    bool TryGetExpected(int entry, out ReadOnlySpan<byte> expected);
}
