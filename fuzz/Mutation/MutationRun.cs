using System.Diagnostics;
using Varve.Fuzz.Targets;

namespace Varve.Fuzz.Mutation;

/// <summary>
/// The built-in fuzzer: takes an input of its corpus, mutates it, runs the target, and keeps the mutant when it reached
/// a feature that none before it did. Deterministic: target, corpus and seed give the same inputs in the same order, as
/// far as time does not end the run.
/// </summary>
internal sealed class MutationRun
{
    private const int InputLengthMin = 1024;
    private const int KeptMax = 4096;
    private const int CostlyTimes = 4;
    private const int PickTries = 64;

    private readonly FuzzTarget _target;
    private readonly ulong _seed;
    private readonly Execution _execution;
    private readonly Dice _dice;
    private readonly List<byte[]> _kept;
    private readonly List<int> _costs = [];
    private readonly HashSet<ulong> _features = [];
    private readonly HashSet<string> _reported = [];
    private int _ordinary = int.MaxValue;

    public MutationRun(
        FuzzTarget target, IEnumerable<byte[]> corpus, ulong seed, Limits limits, Watchdog? watchdog = null)
    {
        (_target, _seed) = (target, seed);
        _execution = new Execution(target, limits, watchdog);
        _dice = new Dice(seed);
        _kept = [.. corpus];
        if (_kept.Count == 0) _kept.Add([]);
    }

    /// <summary>One finding for each place that broke, the first input that got there.</summary>
    public List<Finding> Findings { get; } = [];

    /// <summary>The run ends when it has this many findings.</summary>
    public int FindingsMax { get; init; } = 20;

    public long Executions { get; private set; }

    public int Features => _features.Count;

    public int Kept => _kept.Count;

    public TimeSpan Elapsed { get; private set; }

    /// <summary>Called with the input before each execution, where a crash of the process would lose it.</summary>
    public Action<byte[]>? BeforeExecution { get; init; }

    /// <summary>Runs until either number is reached, or continuing is useless.</summary>
    public void Run(long executions, TimeSpan time, CancellationToken token = default)
    {
        var began = Stopwatch.GetTimestamp();
        foreach (var input in _kept)
        {
            Try(input, -1, out var cost);
            _costs.Add(cost);
        }

        _ordinary = CostlyTimes * Math.Max(1, _costs.Order().ElementAt(_costs.Count / 2));
        var mutator = new Mutator(_dice, Math.Max(InputLengthMin, 2 * _kept.Max(input => input.Length)));
        while (Executions < executions && Findings.Count < FindingsMax && !token.IsCancellationRequested
            && Stopwatch.GetElapsedTime(began) < time)
        {
            var mutant = mutator.Mutate(Pick(), Pick());
            if (!Try(mutant, Executions++, out var cost) || _kept.Count >= KeptMax) continue;
            _kept.Add(mutant);
            _costs.Add(cost);
        }

        Elapsed = Stopwatch.GetElapsedTime(began);
    }

    /// <summary>
    /// Half of the time one of the newest, which are the deepest. One that costs a hundred times what an ordinary input
    /// does is taken a hundred times less often: a bomb among the inputs would take the time of all others.
    /// </summary>
    private byte[] Pick()
    {
        var at = 0;
        for (var tries = 0; tries < PickTries; tries++)
        {
            at = _dice.OneIn(2) ? _kept.Count - 1 - _dice.Below(Math.Min(_kept.Count, 8)) : _dice.Below(_kept.Count);
            if (_dice.Below(_costs[at]) < _ordinary) break;
        }

        return _kept[at];
    }

    /// <summary>True if the input reached a new feature and broke nothing.</summary>
    private bool Try(byte[] input, long number, out int cost)
    {
        BeforeExecution?.Invoke(input);
        var broke = _execution.Run(input, out var feature);
        // The allocation in whole MiB: small amounts depend on the code that the runtime has compiled, and runs must be
        // alike.
        cost = (int)Math.Min(int.MaxValue, input.Length + (_execution.Allocated >> 20 << 20));
        if (broke is not { } broken) return _features.Add(feature);
        if (_reported.Add($"{broken.Kind} {Place(broken.Kind, broken.Detail)}"))
            Findings.Add(new Finding(_target.Name, broken.Kind, input, _seed, number, broken.Detail));
        return false;
    }

    /// <summary>The identity of a bug: for an exception its type, message and innermost frame.</summary>
    private static string Place(FindingKind kind, string detail) =>
        kind == FindingKind.Exception ? string.Join('\n', detail.Split('\n').Take(3)) : "";
}
