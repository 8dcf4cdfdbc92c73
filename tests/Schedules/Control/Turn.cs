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
    /// Waits for the turn. A thread that never gets it is blocked outside the scheduler's control: the wait ends with
    /// an error.
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
