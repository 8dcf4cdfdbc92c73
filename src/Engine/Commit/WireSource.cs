using Varve.Format;

namespace Varve.Commit;

/// <summary>An encoded chunk: spans over the caller's buffer.</summary>
internal readonly ref struct WireSource(ReadOnlySpan<byte> chunk, ReadOnlySpan<WireEntry> entries) : IChunkSource
{
    private readonly ReadOnlySpan<byte> _chunk = chunk;
    private readonly ReadOnlySpan<WireEntry> _entries = entries;

    public static string ParameterName => "encodedChunk";

    public ReadOnlySpan<byte> Key(int entry) => _entries[entry].KeyIn(_chunk);

    public ReadOnlySpan<byte> Value(int entry) => _entries[entry].ValueIn(_chunk);

    public bool TryGetExpected(int entry, out ReadOnlySpan<byte> expected)
    {
        expected = _entries[entry].ExpectedIn(_chunk);
        return _entries[entry].ExpectedLength >= 0;
    }
}
