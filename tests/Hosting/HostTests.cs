using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Varve.Extensions.Hosting;
using Xunit;

namespace Varve.Tests.Hosting;

public sealed class HostTests : IDisposable
{
    private static readonly byte[] Key = "key"u8.ToArray();
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task HostOpensEngineBeforeServicesAndClosesItAfterThem()
    {
        var seen = new List<string>();
        using var host = Host(services =>
        {
            services.AddVarve("orders", Section(("Directory", Path.Combine(_directory.Root, "orders"))));
            services.AddSingleton(seen);
            services.AddHostedService<Writer>();
        });

        await host.StartAsync();
        Assert.Equal(["started"], seen);
        var engine = host.Services.GetRequiredKeyedService<LsmStateMachine>("orders");
        Assert.Same(engine, host.Services.GetRequiredKeyedService<LsmStateMachine>("orders"));
        Assert.Equal(Key, engine.Get(Key));

        await host.StopAsync();
        Assert.Equal(["started", "stopped"], seen);
        Assert.Throws<ObjectDisposedException>(() => engine.Get(Key));
    }

    [Fact]
    public async Task TwoEnginesOfOneHostHaveTheirOwnDirectoriesAndOptions()
    {
        using var host = Host(services =>
        {
            services.AddVarve("a", Section(("Directory", "a"), ("MemtableBytes", "1048576"), ("LeaseClock", "Log")));
            services.AddVarve("b", options => options.Directory = Path.Combine(_directory.Root, "b"));
        });
        await host.StartAsync();

        Assert.True(Directory.Exists(Path.Combine(_directory.Root, "a")), "a relative path is below the content root");
        Assert.True(Directory.Exists(Path.Combine(_directory.Root, "b")));
        Assert.NotSame(
            host.Services.GetRequiredKeyedService<LsmStateMachine>("a"),
            host.Services.GetRequiredKeyedService<LsmStateMachine>("b"));
        await host.StopAsync();
        Assert.Throws<ArgumentException>(() => LsmStateMachine.Open(
            Path.Combine(_directory.Root, "a"), new EngineOptions { LeaseClock = LeaseClock.Local }));
    }

    [Fact]
    public async Task EngineIsNamedByItsKeyUnlessNameIsSet()
    {
        using var host = Host(services =>
        {
            services.AddVarve("a", Section(("Directory", "x")));
            services.AddVarve("b", Section(("Directory", "y"), ("Name", "orders")));
        });
        await host.StartAsync();
        Assert.Equal(
            ("a", "orders"),
            (host.Services.GetRequiredKeyedService<LsmStateMachine>("a").GetStatistics().Name,
                host.Services.GetRequiredKeyedService<LsmStateMachine>("b").GetStatistics().Name));
        await host.StopAsync();
    }

    [Fact]
    public void EveryOptionBindsFromItsName()
    {
        var values = new Dictionary<string, string>
        {
            [nameof(EngineOptions.BlockBytes)] = "4096",
            [nameof(EngineOptions.BottomMergeRatio)] = "0.5",
            [nameof(EngineOptions.Durability)] = "Interval",
            [nameof(EngineOptions.ExpiredLeaseRetention)] = "02:00:00",
            [nameof(EngineOptions.FilterBitsPerKey)] = "12",
            [nameof(EngineOptions.HistoryBytes)] = "1000000",
            [nameof(EngineOptions.HistoryEntries)] = "1000",
            [nameof(EngineOptions.IdleAfter)] = "00:00:05",
            [nameof(EngineOptions.InvalidCommands)] = "Refuse",
            [nameof(EngineOptions.LeaseClock)] = "Log",
            [nameof(EngineOptions.LogGaps)] = "Allow",
            [nameof(EngineOptions.LowDiskBytes)] = "1000",
            [nameof(EngineOptions.MemoryBudgetBytes)] = "268435456",
            [nameof(EngineOptions.MemtableBytes)] = "1048576",
            [nameof(EngineOptions.Name)] = "orders",
            [nameof(EngineOptions.ParanoidChecks)] = "true",
            [nameof(EngineOptions.ReadOnly)] = "true",
            [nameof(EngineOptions.SealedMemtablesMax)] = "3",
            [nameof(EngineOptions.SlowSyncAfter)] = "00:00:03",
            [nameof(EngineOptions.SpareTableBytes)] = "0",
            [nameof(EngineOptions.SyncInterval)] = "00:00:00.050",
            [nameof(EngineOptions.TableAccess)] = "Probed",
            [nameof(EngineOptions.TableBytes)] = "1048576",
            [nameof(EngineOptions.UpperRunsMax)] = "4",
        };
        var bindable = typeof(EngineOptions).GetProperties()
            .Where(property => property.CanWrite)
            .Where(property => property.PropertyType.IsValueType || property.PropertyType == typeof(string))
            .Select(property => property.Name);
        Assert.Equal(bindable.Order(), values.Keys.Order());
        Assert.Equal(SectionKeys.Names.Order(), values.Keys.Append("Directory").Order());

        using var host = Host(services => services.AddVarve(
            "e", Section([("Directory", "x"), .. values.Select(value => (value.Key, value.Value))])));
        var bound = host.Services.GetRequiredService<IOptionsMonitor<VarveOptions>>().Get("e").Engine;
        foreach (var property in typeof(EngineOptions).GetProperties().Where(
            property => values.ContainsKey(property.Name)))
        {
            var text = values[property.Name];
            object expected = property.PropertyType == typeof(TimeSpan)
                ? TimeSpan.Parse(text, System.Globalization.CultureInfo.InvariantCulture)
                : property.PropertyType.IsEnum
                    ? Enum.Parse(property.PropertyType, text)
                    : Convert.ChangeType(
                        text, property.PropertyType, System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal(expected, property.GetValue(bound));
        }
    }

    [Theory]
    [InlineData("Durabilty", "Power", "Durabilty")]
    [InlineData("BlockBytes", "17", "BlockBytes")]
    [InlineData("Durability", "Sometimes", "Durability")]
    [InlineData("Directory", "", "Directory")]
    public async Task StartFailsAndNamesWrongOption(string key, string value, string named)
    {
        using var host = Host(services => services.AddVarve("orders", Section(("Directory", "orders"), (key, value))));
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync());
        Assert.True(failure is OptionsValidationException or InvalidOperationException, failure.GetType().Name);
        Assert.Contains(named, failure.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_directory.Root, "orders")));
    }

    [Fact]
    public void SecondEngineOfOneNameIsRefused()
    {
        var services = new ServiceCollection();
        services.AddVarve("orders", options => options.Directory = "a");
        Assert.Throws<InvalidOperationException>(() => services.AddVarve("orders", options => options.Directory = "b"));
    }

    private static IConfigurationSection Section(params (string Key, string Value)[] values) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(values
                .GroupBy(value => value.Key)
                .Select(same => new KeyValuePair<string, string?>($"Varve:{same.Key}", same.Last().Value)))
            .Build()
            .GetSection("Varve");

    private IHost Host(Action<IServiceCollection> configure)
    {
        var builder = new HostApplicationBuilder(
            new HostApplicationBuilderSettings { ContentRootPath = _directory.Root, DisableDefaults = true });
        configure(builder.Services);
        return builder.Build();
    }

    /// <summary>A service that uses the engine when it starts and when it stops.</summary>
    private sealed class Writer([FromKeyedServices("orders")] LsmStateMachine engine, List<string> seen)
        : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            engine.ApplyChunk([new ApplyEntry(1, 1, Command.Insert(Key, Key))], new ApplyResult[1]);
            seen.Add("started");
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            Assert.Equal(Key, engine.Get(Key));
            seen.Add("stopped");
            return Task.CompletedTask;
        }
    }
}
