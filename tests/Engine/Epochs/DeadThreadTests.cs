using Varve.Epochs;
using Xunit;

namespace Varve.Tests.Engine.Epochs;

/// <summary>
/// A thread that dies gives its ordinal back, and a pin that it left stays. Ordinals are the process's: other tests
/// would take those that come back.
/// </summary>
[Collection(WholeProcess.Name)]
public class DeadThreadTests
{
    private readonly EpochTable _pins = new();

    [Fact]
    public void DeadThreadsPinStaysAndItsOrdinalIsReused()
    {
        var stamp = 0L;
        OnThread(() =>
        {
            _pins.Enter();
            stamp = _pins.Retire();
        });

        var ordinals = new HashSet<int>();
        for (var round = 0; round < 200; round++)
        {
            OnThread(() => ordinals.Add(ThreadOrdinal.Current));
            if (round % 20 == 0) Collect();
            OnThread(() =>
            {
                ordinals.Add(_pins.Enter().Ordinal);
                _pins.Exit();
            });
        }

        Assert.False(_pins.IsSafe(stamp));
        Assert.Equal(1, _pins.ActivePins);
        Assert.True(ordinals.Count < 200, $"400 threads, one after the other, had {ordinals.Count} ordinals");
    }

    private static void OnThread(Action action)
    {
        var thread = new Thread(() => action());
        thread.Start();
        thread.Join();
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
