using System.Buffers;

namespace Varve.Commit;

/// <summary>
/// A chunk of commands with all bytes in one pooled array, copied outside of the gate: because the bytes are reached
/// through the user's code, which runs once for each, or because the chunk is applied after its caller's return.
/// </summary>
internal readonly struct CopiedChunk : IDisposable
{
    private readonly ApplyEntry[] _entries;
    private readonly byte[] _bytes;
    private readonly int _count;

    /// <exception cref="ArgumentException">The bytes are over 2 GiB.</exception>
    public CopiedChunk(ReadOnlySpan<ApplyEntry> chunk)
    {
        var length = 0L;
        foreach (ref readonly var entry in chunk)
            length += (long)entry.Command.Key.Length + entry.Command.Value.Length
                + entry.Command.Expected.GetValueOrDefault().Length;
        if (length > Array.MaxLength) throw new ArgumentException("The chunk is over 2 GiB.", nameof(chunk));
        _bytes = ArrayPool<byte>.Shared.Rent((int)length);
        _entries = ArrayPool<ApplyEntry>.Shared.Rent(chunk.Length);
        _count = chunk.Length;
        var at = 0;
        for (var i = 0; i < chunk.Length; i++)
        {
            var command = chunk[i].Command;
            var (key, value) = (Copy(command.Key, ref at), Copy(command.Value, ref at));
            var expected = command.Expected is { } bytes ? Copy(bytes, ref at) : default(ReadOnlyMemory<byte>?);
            _entries[i] = chunk[i] with { Command = command.Over(key, value, expected) };
        }
    }

    public ReadOnlySpan<ApplyEntry> Entries => _entries.AsSpan(0, _count);

    public void Dispose()
    {
        ArrayPool<ApplyEntry>.Shared.Return(_entries, clearArray: true);
        ArrayPool<byte>.Shared.Return(_bytes);
    }

    private ReadOnlyMemory<byte> Copy(ReadOnlyMemory<byte> source, ref int at)
    {
        var copy = _bytes.AsMemory(at, source.Length);
        source.Span.CopyTo(copy.Span);
        at += copy.Length;
        return copy;
    }
}
