using Varve.Runtime;
using Varve.Tests.Schedules.Control;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>
/// A publisher moves the end of the log and raises the signal, while the dispatcher of changes takes what is there and
/// then waits: it never sleeps on something published. The publisher's stores may wait in its store buffer.
/// </summary>
internal sealed class ChangeSignalScenario : Scenario
{
    private const int Publications = 3;

    private readonly ChangeSignal _signal = new();
    private readonly PublishedEnd _end = new();
    private long _taken;
    private bool _isAsleep;
    private bool _isWoken;

    public override void Prepare(Scheduler scheduler)
    {
        _signal.Awaken = () => _isWoken = true;
        scheduler.BufferStoresTo(_end, sizeof(long));
        Threads = [Publish, Dispatch];
    }

    public override void Finish(Scheduler scheduler)
    {
        Expect(_taken == Publications || _isWoken, "the dispatcher sleeps on something published");
        Expect(_isAsleep || _isWoken || _taken == Publications, "the dispatcher neither waits nor has everything");
    }

    private void Publish()
    {
        for (var i = 1; i <= Publications; i++)
        {
            Volatile.Write(ref _end.Value, i);
            _signal.Raise();
        }
    }

    /// <summary>As <c>ChangeDispatcher.Round</c> does, up to the first time that it waits.</summary>
    private void Dispatch()
    {
        while (!_isWoken)
        {
            if (TryTake()) continue;
            _signal.Arm();
            if (!TryTake())
            {
                _isAsleep = true;
                return;
            }

            _signal.Disarm();
        }
    }

    private bool TryTake()
    {
        var end = Volatile.Read(ref _end.Value);
        if (end == _taken) return false;
        Expect(end > _taken, "the end went back");
        _taken = end;
        return true;
    }

    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Sequential)]
    private sealed class PublishedEnd
    {
        public long Value;
    }
}
