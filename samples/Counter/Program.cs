using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Varve.Samples.Counter;

// Usage: counter [--Varve:Directory=DIR] [--Telemetry=console], and any other setting of appsettings.json

var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings
{
    Args = args,
    ContentRootPath = AppContext.BaseDirectory,
});
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services
    .AddVarve("counters", builder.Configuration.GetSection("Varve"))
    .AddHealthCheck(bounds => bounds.FreeBytesMin = 64 << 20);
builder.Services.AddSingleton<Proposer>();
builder.Services.AddHostedService(services => services.GetRequiredService<Proposer>());
builder.Services.AddSingleton<Counters>();
if (builder.Configuration["Telemetry"] == "console")
    builder.Services.AddOpenTelemetry()
        .WithMetrics(meters => meters.AddMeter("Varve").AddConsoleExporter())
        .WithTracing(sources => sources.AddSource("Varve").AddConsoleExporter());

using var host = builder.Build();
// Before the start, which opens the engine: its recovery is measured too.
var metrics = host.Services.GetService<MeterProvider>();
_ = host.Services.GetService<TracerProvider>();
await host.StartAsync();

var counters = host.Services.GetRequiredService<Counters>();
var before = counters.Read("hits");
await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
{
    for (var i = 0; i < 50; i++) await counters.IncrementAsync("hits");
})));
Console.WriteLine($"hits: {before} before, {counters.Read("hits")} after 8 clients added 50 each");

var health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
foreach (var (name, entry) in health.Entries) Console.WriteLine($"{name}: {entry.Status}. {entry.Description}");
metrics?.ForceFlush(); // while the engine is open: a closed one has no measurements
await host.StopAsync();
