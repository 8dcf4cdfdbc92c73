using Varve.Format;
using Varve.Memory;
using Varve.Tables;

namespace Varve.Iterators;

/// <summary>
/// The buffer in which a run's keys are put together from their parts. The prefix that the keys of a block share is
/// written once a block.
/// </summary>
internal struct KeyBuffer() : IDisposable
{
    /// <summary>A key is written eight bytes at a time: two heads more than the longest key.</summary>
    private const int Slack = 2 * KeyHead.Bytes;

    private readonly NativeBuffer _memory = new();
    private nint _prefixToken;

    // SAFETY: these members are addresses in the buffer, valid until Read makes it grow or Dispose frees it.
    private unsafe byte* _afterPrefix;

    /// <summary>The address of the key's first byte.</summary>
    public readonly unsafe byte* Address => _memory.Address;

    /// <summary>
    /// The address of the first byte behind the block's prefix; sixteen bytes from there are writable.
    /// </summary>
    public readonly unsafe byte* AfterPrefix => _afterPrefix;

    /// <summary>True if the prefix in the buffer is that of the cursor's block.</summary>
    public readonly bool HasPrefixOf(in TableCursor cursor) => _prefixToken == cursor.PrefixToken;

    public void DropPrefix() => _prefixToken = 0;

    /// <summary>Writes the key of the cursor's row and returns its length.</summary>
    // SAFETY: the buffer has room for the key and the slack, into which the cursor writes eight bytes at a time.
    public unsafe int Read(in TableCursor cursor)
    {
        var length = cursor.KeyLength;
        if (_memory.Capacity < length + Slack)
        {
            _memory.Reserve(length + Slack);
            _prefixToken = 0;
        }

        _afterPrefix = _memory.Address + cursor.PrefixLength;
        return cursor.CopyKeyTo(_memory.Address, ref _prefixToken);
    }

    public readonly void Dispose() => _memory.Dispose();
}
