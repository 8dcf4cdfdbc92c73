using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Varve.Extensions.Hosting;

/// <summary>Judges an engine by its statistics: see <see cref="VarveBuilder.AddHealthCheck"/>.</summary>
internal sealed class VarveHealthCheck(
    VarveInstance instance, VarveHealthOptions bounds, long lowDiskBytes, TimeProvider time)
    : IHealthCheck
{
    private readonly Lock _lock = new();
    private long _lastTimestamp = time.GetTimestamp();
    private TimeSpan _lastStallTime;

    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        EngineStatistics statistics;
        try
        {
            statistics = instance.Engine.GetStatistics();
        }
        catch (ObjectDisposedException failure)
        {
            return Task.FromResult(new HealthCheckResult(
                context.Registration.FailureStatus, "The engine is closed.", failure));
        }

        var freeMin = bounds.FreeBytesMin ?? lowDiskBytes;
        var stalled = StallShare(statistics.StallTime);
        var data = new Dictionary<string, object>
        {
            ["applied"] = statistics.LastApplied.Index,
            ["durable"] = statistics.DurableLogId.Index,
            ["stall_share"] = stalled,
            ["durable_lag"] = statistics.DurableLag,
        };
        if (statistics.FreeDiskBytes is { } free) data["free_bytes"] = free;

        if (statistics.Fault is { } fault)
            return Task.FromResult(new HealthCheckResult(
                context.Registration.FailureStatus, $"The engine is latched: {fault}", data: data));

        var problems = new List<string>();
        if (stalled > bounds.StallShareMax)
            problems.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"appliers waited {stalled:P0} of the time, {bounds.StallShareMax:P0} is the bound"));
        if (statistics.DurableLag > bounds.DurableLagMax)
            problems.Add(
                $"{statistics.DurableLag} applied entries are not durable, {bounds.DurableLagMax} is the bound");
        if (statistics.FreeDiskBytes < freeMin)
            problems.Add($"the volume has {statistics.FreeDiskBytes} bytes free, {freeMin} is the bound");
        return Task.FromResult(problems.Count == 0
            ? HealthCheckResult.Healthy("The engine is running.", data)
            : HealthCheckResult.Degraded(string.Join("; ", problems) + ".", data: data));
    }

    /// <summary>The share of the time since the last check that appliers waited.</summary>
    private double StallShare(TimeSpan stallTime)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            var elapsed = time.GetElapsedTime(_lastTimestamp, now);
            var stalled = stallTime - _lastStallTime;
            (_lastTimestamp, _lastStallTime) = (now, stallTime);
            return elapsed > TimeSpan.Zero ? Math.Clamp(stalled / elapsed, 0, 1) : 0;
        }
    }
}
