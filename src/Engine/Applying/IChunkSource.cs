using Varve.Format;

namespace Varve.Applying;

/// <summary>Where the keys and values of a decoded chunk are: the caller's encoded bytes, or the caller's commands.</summary>
internal interface IChunkSource
{
    ReadOnlySpan<byte> Key(int entry);

    ReadOnlySpan<byte> Value(int entry);

    /// <summary>False: the key must not exist.</summary>
    bool TryGetExpected(int entry, out ReadOnlySpan<byte> expected);
}

/// <summary>An encoded chunk: spans over the caller's buffer.</summary>
internal readonly ref struct WireSource(ReadOnlySpan<byte> chunk, ReadOnlySpan<WireEntry> entries) : IChunkSource
{
    private readonly ReadOnlySpan<byte> _chunk = chunk;
    private readonly ReadOnlySpan<WireEntry> _entries = entries;

    public ReadOnlySpan<byte> Key(int entry) => _entries[entry].KeyIn(_chunk);

    public ReadOnlySpan<byte> Value(int entry) => _entries[entry].ValueIn(_chunk);

    public bool TryGetExpected(int entry, out ReadOnlySpan<byte> expected)
    {
        expected = _entries[entry].ExpectedIn(_chunk);
        return _entries[entry].ExpectedLength >= 0;
    }
}

/// <summary>A chunk of commands.</summary>
internal readonly ref struct NativeSource(ReadOnlySpan<ApplyEntry> chunk) : IChunkSource
{
    private readonly ReadOnlySpan<ApplyEntry> _chunk = chunk;

    public ReadOnlySpan<byte> Key(int entry) => _chunk[entry].Command.Key.Span;

    public ReadOnlySpan<byte> Value(int entry) => _chunk[entry].Command.Value.Span;

    public bool TryGetExpected(int entry, out ReadOnlySpan<byte> expected)
    {
        var found = _chunk[entry].Command.Expected;
        expected = found.GetValueOrDefault().Span;
        return found.HasValue;
    }
}
