namespace Varve.Tests.Schedules.Control;

/// <summary>Threads that share something, and a judge. Made anew for every schedule.</summary>
internal abstract class Scenario : IDisposable
{
    /// <summary>The action of each thread, the first one first; made by <see cref="Prepare"/>.</summary>
    public Action[] Threads { get; protected set; } = [];

    /// <summary>Sets the stage. Nobody else runs yet.</summary>
    public abstract void Prepare(Scheduler scheduler);

    /// <summary>Checks the result once all threads have ended.</summary>
    public virtual void Finish(Scheduler scheduler)
    {
    }

    public virtual void Dispose() => GC.SuppressFinalize(this);

    protected static void Expect(bool condition, string what)
    {
        if (!condition) throw new WrongAnswerException(what);
    }
}

/// <summary>The oracle's complaint.</summary>
internal sealed class WrongAnswerException(string what) : Exception(what);
