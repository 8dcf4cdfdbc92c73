namespace Varve.Tests.Schedules.Control;

/// <summary>The right to run, handed from one thread to another.</summary>
internal sealed class Turn
{
    private bool _given;

    public void Give()
    {
        lock (this)
        {
            _given = true;
            Monitor.Pulse(this);
        }
    }

    /// <summary>
    /// Waits for it. A thread that never gets it has been lost outside the scheduler's sight: that is said, not waited
    /// for.
    /// </summary>
    public void Await(TimeSpan patience)
    {
        lock (this)
        {
            while (!_given)
            {
                if (!Monitor.Wait(this, patience))
                    throw new TimeoutException("A thread waits for something that the scheduler does not see.");
            }

            _given = false;
        }
    }
}
