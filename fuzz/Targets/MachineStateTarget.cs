using Varve.Format;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>The state beside the keys; its bytes have one form each.</summary>
internal static class MachineStateTarget
{
    public static ulong Run(ReadOnlySpan<byte> input)
    {
        var decoded = MachineStateCodec.TryDecode(input, out var state, out var error);
        ErrorFits(decoded, error, input.Length);
        if (!decoded) return Feature.Of(error);
        Holds(MachineStateCodec.Encode(state!).AsSpan().SequenceEqual(input), "the same bytes when encoded again");
        return Feature.Of("state", Feature.Bucket(state!.Terms.Length) << 16
            | Feature.Bucket(state.Outcomes.Length) << 1 | (state.Snapshot is null ? 0u : 1u));
    }

    public static IEnumerable<(string, byte[])> Seeds() =>
        [("empty", MachineStateCodec.Encode(MachineState.Empty(0, StoredLeaseClock.Local))), (
            "full", MachineStateCodec.Encode(Samples.State))];
}
