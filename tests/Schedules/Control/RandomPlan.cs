namespace Varve.Tests.Schedules.Control;

/// <summary>
/// Probabilistic concurrency testing: threads have random priorities, the highest that can run runs, and at a few
/// random steps the running one falls to the lowest. Finds a bug of depth d with a probability of at least 1 / (n
/// k^(d-1)).
/// </summary>
internal sealed class RandomPlan : IPlan
{
    private readonly int[] _priorities = new int[Decision.ThreadsMax];
    private readonly int[] _changes = new int[4];
    private Random _random = new(0);
    private int _changeCount;
    private int _at;
    private int _lowest;
    private bool _flushes;

    public List<Decision> Taken { get; } = [];

    public int NextStep { get; private set; }

    public void Begin(ulong seed, int stepsUsual)
    {
        _random = new Random(HashCode.Combine(seed));
        Taken.Clear();
        for (var i = 0; i < _priorities.Length; i++) _priorities[i] = i;
        _random.Shuffle(_priorities);
        _changeCount = _random.Next(1, _changes.Length + 1);
        for (var i = 0; i < _changeCount; i++) _changes[i] = _random.Next(Math.Max(stepsUsual, 1));
        Array.Sort(_changes, 0, _changeCount);
        (_at, _lowest) = (0, 0);
        _flushes = _random.Next(2) == 0;
        NextStep = 0; // who begins
    }

    public int Choose(int step, int options, int standard, bool isForced)
    {
        var isDelay = (options >> Decision.Keep & 1) != 0;
        while (!isDelay && _at < _changeCount && _changes[_at] <= step)
        {
            _at++;
            _priorities[standard] = --_lowest;
        }

        if (!isDelay) NextStep = _at < _changeCount ? _changes[_at] : int.MaxValue;
        var choice = isDelay ? (_random.Next(2) == 0 ? Decision.Keep : standard) : Pick(options);
        if (choice != standard) Taken.Add(new Decision(step, choice));
        return choice;
    }

    private int Pick(int options)
    {
        var flushes = options >> Decision.Flush(0) << Decision.Flush(0);
        if (flushes != 0 && _flushes && _random.Next(3) == 0) return LowestOf(flushes);
        var best = -1;
        for (var thread = 0; thread < Decision.ThreadsMax; thread++)
            if ((options >> thread & 1) != 0 && (best < 0 || _priorities[thread] > _priorities[best])) best = thread;
        return best;
    }

    private static int LowestOf(int options) => System.Numerics.BitOperations.TrailingZeroCount(options);
}
