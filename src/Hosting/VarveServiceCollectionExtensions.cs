using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Varve;
using Varve.Extensions.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds Varve engines to a host.</summary>
public static class VarveServiceCollectionExtensions
{
    /// <summary>
    /// Adds the engine <paramref name="name"/>, configured by a section: <c>Directory</c>, and any property of
    /// <see cref="EngineOptions"/> by its name. In metrics and spans the engine has the name <paramref name="name"/>
    /// unless <see cref="EngineOptions.Name"/> is set. The engine is a keyed singleton <see cref="LsmStateMachine"/>.
    /// The host opens it before it starts its services, and closes it after it has stopped them.
    /// </summary>
    /// <remarks>
    /// The options are read once. An unknown key, a value that is not of its option's type and a value out of range
    /// fail the start of the host with an <see cref="OptionsValidationException"/> or an
    /// <see cref="InvalidOperationException"/> that names the key.
    /// </remarks>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="InvalidOperationException">An engine of this name was added before.</exception>
    public static VarveBuilder AddVarve(this IServiceCollection services, string name, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        var builder = services.AddVarve(name);
        services.AddSingleton<IConfigureOptions<VarveOptions>>(new SectionBinding(name, section));
        services.AddSingleton<IValidateOptions<VarveOptions>>(new SectionKeys(name, section));
        return builder;
    }

    /// <summary>Adds the engine <paramref name="name"/>, configured by code.</summary>
    /// <inheritdoc cref="AddVarve(IServiceCollection, string, IConfiguration)" path="/exception"/>
    public static VarveBuilder AddVarve(this IServiceCollection services, string name, Action<VarveOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var builder = services.AddVarve(name);
        services.Configure(name, configure);
        return builder;
    }

    private static VarveBuilder AddVarve(this IServiceCollection services, string name)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (services.Any(service => service.ServiceType == typeof(VarveInstance) && name.Equals(service.ServiceKey)))
            throw new InvalidOperationException($"The Varve engine \"{name}\" was added before.");

        services.AddOptions<VarveOptions>(name).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<VarveOptions>, OptionsCheck>());
        services.AddKeyedSingleton(
            name,
            (provider, _) => new VarveInstance(
                name,
                provider.GetRequiredService<IOptionsMonitor<VarveOptions>>().Get(name),
                provider.GetService<IHostEnvironment>()?.ContentRootPath,
                provider.GetService<Logging.ILoggerFactory>()));
        services.AddKeyedSingleton(
            name, (provider, _) => provider.GetRequiredKeyedService<VarveInstance>(name).Engine);
        services.AddSingleton<IHostedService>(
            provider => new VarveHostedService(provider.GetRequiredKeyedService<VarveInstance>(name)));
        return new VarveBuilder(name, services);
    }
}
