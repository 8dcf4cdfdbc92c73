using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Varve.Extensions.Hosting;

/// <summary>Adds to an engine of a host what belongs to it.</summary>
public sealed class VarveBuilder
{
    internal VarveBuilder(string name, IServiceCollection services) => (Name, Services) = (name, services);

    /// <summary>The engine's name, which is its key.</summary>
    public string Name { get; }

    /// <summary>The host's services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>
    /// Adds a health check named <c>varve-</c> and the engine's name. It reports unhealthy if the engine is closed or
    /// latched by a failure, and degraded if appliers stall, if the durable index lags, or if the volume is short of
    /// space, by the bounds of <see cref="VarveHealthOptions"/>.
    /// </summary>
    /// <param name="configure">Changes the bounds, or null.</param>
    /// <param name="tags">Tags that a host selects checks by, or null.</param>
    /// <returns>This builder.</returns>
    public VarveBuilder AddHealthCheck(
        Action<VarveHealthOptions>? configure = null, IEnumerable<string>? tags = null)
    {
        var bounds = new VarveHealthOptions();
        configure?.Invoke(bounds);
        Services.AddHealthChecks().Add(new HealthCheckRegistration(
            $"varve-{Name}",
            provider => provider.GetRequiredKeyedService<VarveInstance>(Name).HealthCheck(bounds),
            failureStatus: null,
            tags));
        return this;
    }
}
