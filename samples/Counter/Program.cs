using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Varve.Samples.Counter;

// Usage: counter [--Varve:Directory=DIR], and any other setting of appsettings.json

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

using var host = builder.Build();
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
await host.StopAsync();
