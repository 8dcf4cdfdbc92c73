using System.IO.Hashing;
using System.Runtime.CompilerServices;

namespace Varve.Format;

/// <summary>
/// The one hash of a user key, computed once an operation and used by the memtable's directory, the filters and the
/// blocks' tags. XXH3-64 with seed 0; frozen, because filters and tags are on disk.
/// </summary>
internal static class KeyHash
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of(ReadOnlySpan<byte> key) => XxHash3.HashToUInt64(key);
}
