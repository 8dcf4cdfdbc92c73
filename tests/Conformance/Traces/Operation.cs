using System.Text;

namespace Varve.Tests.Conformance.Traces;

/// <summary>The kinds of steps in a trace.</summary>
public enum Step
{
    Apply,
    ApplyBad,
    Advance,
    StepBack,
    Read,
    Scan,
    EntryTerm,
    Reopen,
    StopStart,
    Flush,
    Compact,
    Snapshot,
    InstallSelf,
    InstallOther,
    Reset,
    Cleanup,
    MovePosition,
}

/// <summary>One step; its numbers are relative to the state at its turn, so that any sub-trace is a trace.</summary>
public readonly record struct Operation(Step Step, int A = 0, int B = 0, int C = 0)
{
    public override string ToString() => $"new(Step.{Step}, {A}, {B}, {C})";
}

/// <summary>A trace that prints as the source of itself.</summary>
public sealed record Trace(IReadOnlyList<Operation> Operations)
{
    public override string ToString() => string.Join(",\n", Operations.Select(operation => operation.ToString()));

    /// <summary>The same with parts left out, largest parts first, then with smaller chunks.</summary>
    public IEnumerable<Trace> Shrink()
    {
        for (var part = Operations.Count / 2; part > 0; part /= 2)
        {
            for (var at = 0; at + part <= Operations.Count; at += part)
                yield return new Trace([.. Operations.Take(at), .. Operations.Skip(at + part)]);
        }
        for (var i = 0; i < Operations.Count; i++)
        {
            var (step, a, b, c) = Operations[i];
            if (step is Step.Apply or Step.ApplyBad && Math.Abs(b) > 1)
                yield return new Trace(
                    [.. Operations.Take(i), new Operation(step, a, b / 2, c), .. Operations.Skip(i + 1)]);
        }
    }
}

/// <summary>
/// The keys and values that traces use: few keys, in a few families whose borders are the interesting ones.
/// </summary>
internal static class Universe
{
    public const int Keys = 60;

    private static readonly byte[][] Families = [
        "a"u8.ToArray(), "ab"u8.ToArray(), [0], [0xFF, 0xFF], [.. "a long common prefix/"u8]];

    public static byte[] Key(int n) =>
        [.. Families[n % Families.Length], .. Encoding.ASCII.GetBytes($"{n / Families.Length % 12}")];

    /// <summary>A prefix of some keys; of all for 0.</summary>
    public static byte[] Prefix(int n) => (n % 7) switch
    {
        0 => [],
        1 => [0xFF],
        2 => "none"u8.ToArray(),
        _ => [.. Key(n / 7).Take(1 + (n % 3))],
    };

    public static byte[] Value(Random random)
    {
        int length = random.Next(100) switch
        {
            < 10 => 0,
            < 70 => random.Next(1, 40),
            < 99 => random.Next(40, 1_000),
            _ => random.Next(1_000, 20_000),
        };
        var value = new byte[length];
        random.NextBytes(value);
        return value;
    }
}
