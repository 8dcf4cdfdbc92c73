using Varve.Epochs;
using Varve.Format;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Commit;

/// <summary>
/// Judges the conditions of entries (compare-and-swap, compare-and-delete, renewal) in the state that the entries
/// before them have left, and measures what renewals copy.
/// </summary>
internal sealed class ConditionChecker(VersionSet versions, WalWriter wal)
{
    /// <summary>
    /// Sets the value length of each renewal to the most that it can copy: the length of the key's value, or a greater
    /// one that an entry before it in the chunk may give the key.
    /// </summary>
    /// <param name="buffers">The checked chunk.</param>
    /// <param name="source">The chunk's keys.</param>
    /// <param name="first">The first new entry.</param>
    /// <param name="count">The number of the chunk's entries.</param>
    /// <returns>The bytes of these values in the log, at most.</returns>
    public long MeasureRenewalsGateHeld<TSource>(
        ChunkBuffers buffers, scoped in TSource source, int first, int count)
        where TSource : IChunkSource, allows ref struct
    {
        LockOrder.Gate.AssertHeld();
        var current = versions.Current;
        var (longest, bytes) = (0, 0L);
        for (var i = first; i < count; i++)
        {
            ref var head = ref buffers.Entries[i];
            if (head.Kind == CommandKind.Renew)
            {
                var key = source.Key(i);
                var hash = current.MemtableHasher.Of(key);
                TryFindLive(current.Memtables[0].Index.Find(key, hash), key, hash, time: 0, out var value);
                head.ValueLength = Math.Max(longest, value.Length);
                bytes += WalOperation.SizeOf(head.KeyLength, head.ValueLength, RecordKind.LeasedPut);
            }

            longest = Math.Max(longest, head.ValueLength);
        }

        return bytes;
    }

    /// <summary>
    /// True if the condition of a compare-and-swap, a compare-and-delete or a renewal holds in the current state.
    /// </summary>
    /// <param name="source">The chunk's expected values.</param>
    /// <param name="entry">The entry.</param>
    /// <param name="head">Its head.</param>
    /// <param name="prior">The key's newest operation in the segment, or none.</param>
    /// <param name="key">The key.</param>
    /// <param name="hash">The key's hash.</param>
    /// <param name="time">The time that leases are judged by.</param>
    /// <param name="value">The key's value: a renewal keeps it.</param>
    public bool TryMeetGateHeld<TSource>(
        scoped in TSource source, int entry, in WireEntry head, OperationRef prior, ReadOnlySpan<byte> key, ulong hash,
        ulong time, out ReadOnlySpan<byte> value)
        where TSource : IChunkSource, allows ref struct
    {
        LockOrder.Gate.AssertHeld();
        var exists = TryFindLive(prior, key, hash, time, out value);
        if (head.Kind != CommandKind.Renew)
            return source.TryGetExpected(entry, out var expected) ? exists && value.SequenceEqual(expected) : !exists;

        // The caller changed the key after it was measured.
        if (exists && value.Length > head.ValueLength)
            throw new ArgumentException(
                "A command of the chunk changed during the call; nothing was applied.", TSource.ParameterName);
        return exists;
    }

    private bool TryFindLive(
        OperationRef prior, ReadOnlySpan<byte> key, ulong hash, ulong time, out ReadOnlySpan<byte> value)
    {
        if (!prior.IsNone)
        {
            var operation = wal.OperationAt(prior);
            value = operation.Value;
            return operation.IsLiveAt(time);
        }

        var isFound = versions.Current.TryFindHashed(key, hash, ulong.MaxValue, out var older);
        value = older.Value;
        return isFound && older.IsLiveAt(time);
    }
}
