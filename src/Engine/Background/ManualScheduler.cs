namespace Varve.Background;

/// <summary>
/// The seam for a simulation: an engine opened with it starts no thread, and its background rounds are done here, when
/// the simulation says so, and its long operations on the thread that asks for them. Runs are then repeatable, and an
/// open costs no thread. One thread at a time.
/// </summary>
internal sealed class ManualScheduler
{
    private readonly List<BackgroundWorker> _workers = [];

    /// <summary>Does the rounds that are due, and those that they make due; false when there were none.</summary>
    public bool Run()
    {
        var ran = false;
        for (var again = true; again;)
        {
            again = false;
            foreach (var worker in _workers) again |= worker.Step();
            ran |= again;
        }

        return ran;
    }

    /// <summary>Does one round of each worker, due or not: what intervals do.</summary>
    public void Tick()
    {
        foreach (var worker in _workers) worker.Step(always: true);
    }

    internal void Add(BackgroundWorker worker)
    {
        _workers.RemoveAll(past => past.IsStopping); // of an engine that was closed
        _workers.Add(worker);
    }
}
