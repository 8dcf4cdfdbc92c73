namespace Varve.Background;

/// <summary>
/// The scheduler of a simulation. An engine that is opened with it starts no thread: the simulation runs its background
/// rounds here, and a long task runs on the thread that asks for it. So runs are repeatable, and an open costs no
/// thread. One thread at a time.
/// </summary>
internal sealed class ManualScheduler
{
    private readonly List<BackgroundWorker> _workers = [];

    /// <summary>Runs the rounds that are due, and those that become due by them; false if there were none.</summary>
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

    /// <summary>Runs one round of each worker, due or not, as the end of their intervals would.</summary>
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
