using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Varve.Format;

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

/// <summary>A chunk of commands with their bytes in arrays. The commands, too, may change during the call.</summary>
internal readonly ref struct NativeSource(ReadOnlySpan<ApplyEntry> chunk, ReadOnlySpan<WireEntry> entries)
    : IChunkSource
{
    private readonly ReadOnlySpan<ApplyEntry> _chunk = chunk;
    private readonly ReadOnlySpan<WireEntry> _entries = entries;

    public static string ParameterName => "chunk";

    public ReadOnlySpan<byte> Key(int entry) => Bytes(_chunk[entry].Command.Key, _entries[entry].KeyLength);

    public ReadOnlySpan<byte> Value(int entry) => Bytes(_chunk[entry].Command.Value, _entries[entry].ValueLength);

    public bool TryGetExpected(int entry, out ReadOnlySpan<byte> expected)
    {
        var found = _chunk[entry].Command.Expected;
        expected = Bytes(found.GetValueOrDefault(), found.GetValueOrDefault().Length);
        return found.HasValue;
    }

    private static ReadOnlySpan<byte> Bytes(ReadOnlyMemory<byte> memory, int length)
    {
        if (!MemoryMarshal.TryGetArray(memory, out var bytes) || bytes.Count != length) ThrowChanged();
        return bytes;
    }

    [DoesNotReturn]
    private static void ThrowChanged() => throw new ArgumentException(
        "A command of the chunk changed during the call; nothing was applied.", ParameterName);
}
