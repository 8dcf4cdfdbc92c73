using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Varve.Extensions.Hosting;
using Xunit;

namespace Varve.Tests.Hosting;

public sealed class HealthCheckTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task RunningEngineIsHealthy()
    {
        await using var services = Services(bounds => bounds.FreeBytesMin = 0);
        var report = await CheckAsync(services);
        Assert.Equal(HealthStatus.Healthy, report.Status);
        Assert.Equal(0UL, report.Entries["varve-orders"].Data["applied"]);
    }

    [Fact]
    public async Task TooManyUnsyncedEntriesDegrade()
    {
        await using var services = Services(bounds => (bounds.FreeBytesMin, bounds.DurableLagMax) = (0, 1));
        var engine = services.GetRequiredKeyedService<LsmStateMachine>("orders");
        engine.ApplyChunk(
            [new ApplyEntry(1, 1, Command.Noop), new ApplyEntry(2, 1, Command.Noop)], new ApplyResult[2]);
        var report = await CheckAsync(services);
        Assert.Equal(HealthStatus.Degraded, report.Status);
        Assert.Contains("2 applied entries are not durable", report.Entries["varve-orders"].Description);

        engine.Flush();
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(services)).Status);
    }

    [Fact]
    public async Task ShortVolumeDegrades()
    {
        await using var services = Services(bounds => bounds.FreeBytesMin = long.MaxValue);
        var report = await CheckAsync(services);
        Assert.Equal(HealthStatus.Degraded, report.Status);
        Assert.Contains("bytes free", report.Entries["varve-orders"].Description);
    }

    [Fact]
    public async Task BoundOfFreeSpaceIsThatOfEngineUnlessGiven()
    {
        var services = new ServiceCollection().AddLogging();
        services.AddVarve("orders", options =>
        {
            options.Directory = _directory.Root;
            options.Engine.LowDiskBytes = 1L << 50;
        }).AddHealthCheck();
        await using var provider = services.BuildServiceProvider();
        var entry = (await CheckAsync(provider)).Entries["varve-orders"];
        Assert.Equal(HealthStatus.Degraded, entry.Status);
        Assert.Contains($"{1L << 50} is the bound", entry.Description);
        Assert.Equal(0UL, entry.Data["durable_lag"]);
        Assert.True((long)entry.Data["free_bytes"] > 0);
    }

    [Fact]
    public async Task ClosedEngineIsUnhealthy()
    {
        await using var services = Services(bounds => bounds.FreeBytesMin = 0);
        services.GetRequiredKeyedService<LsmStateMachine>("orders").Dispose();
        Assert.Equal(HealthStatus.Unhealthy, (await CheckAsync(services)).Status);
    }

    private ServiceProvider Services(Action<VarveHealthOptions> bounds)
    {
        var services = new ServiceCollection().AddLogging();
        services.AddVarve("orders", options => options.Directory = _directory.Root).AddHealthCheck(bounds);
        return services.BuildServiceProvider();
    }

    private static Task<HealthReport> CheckAsync(IServiceProvider services) =>
        services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
}
