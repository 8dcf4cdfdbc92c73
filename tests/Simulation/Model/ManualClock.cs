namespace Varve.Tests.Simulation.Model;

/// <summary>A clock that moves only when the test moves it.</summary>
internal sealed class ManualClock : TimeProvider
{
    public ulong NowMs { get; set; } = 1_767_225_600_000;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds((long)NowMs);
}
