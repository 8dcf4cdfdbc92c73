using System.Runtime.CompilerServices;

namespace Varve.Format;

/// <summary>
/// The one rule that says if a version of a key is live: a put is, a leased put until its deadline. Gets, scans, the
/// count, flushes and compactions ask it.
/// </summary>
internal static class Liveness
{
    /// <summary>The deadline of a put without a lease is not looked at. Both times are Unix milliseconds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsLive(RecordKind kind, ulong deadline, ulong timeMs) =>
        kind == RecordKind.Put || (kind == RecordKind.LeasedPut && timeMs < deadline);
}
