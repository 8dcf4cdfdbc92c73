using Varve.Format;

namespace Varve.Tables;

/// <summary>The rule that says if a version of a key is live: a put is, a leased put until its deadline.</summary>
internal static class Liveness
{
    /// <summary>The deadline of a put without a lease is not looked at.</summary>
    public static bool IsLive(RecordKind kind, ulong deadline, ulong timeMs) =>
        kind == RecordKind.Put || (kind == RecordKind.LeasedPut && timeMs < deadline);
}
