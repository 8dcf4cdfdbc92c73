using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Varve.Format;

namespace Varve.Commit;

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
