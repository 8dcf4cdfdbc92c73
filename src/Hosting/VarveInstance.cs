using Microsoft.Extensions.Logging;

namespace Varve.Extensions.Hosting;

/// <summary>
/// An engine of a host: it is opened by the first use, which is the host's start unless a service asks earlier, and
/// once. Safe for any thread.
/// </summary>
/// <param name="key">The name that it was added under.</param>
/// <param name="options">Its options.</param>
/// <param name="contentRoot">The directory that a relative path begins at; null: the current one.</param>
/// <param name="loggers">The host's loggers, or null.</param>
internal sealed class VarveInstance(
    string key, VarveOptions options, string? contentRoot, ILoggerFactory? loggers)
{
    private readonly Lock _lock = new();
    private LsmStateMachine? _engine;
    private VarveHealthCheck? _check;

    public string Directory { get; } = contentRoot is null
        ? Path.GetFullPath(options.Directory)
        : Path.GetFullPath(options.Directory, contentRoot);

    public LsmStateMachine Engine
    {
        get
        {
            lock (_lock)
                return _engine ??= LsmStateMachine.Open(
                    Directory,
                    options.Engine with
                    {
                        LoggerFactory = options.Engine.LoggerFactory ?? loggers,
                        Name = options.Engine.Name ?? key,
                    });
        }
    }

    /// <summary>The one check of this engine: it compares with the figures of its last call.</summary>
    public VarveHealthCheck HealthCheck(VarveHealthOptions bounds)
    {
        lock (_lock) return _check ??= new VarveHealthCheck(
            this, bounds, options.Engine.LowDiskBytes, options.Engine.TimeProvider);
    }

    /// <summary>Closes the engine if it was opened.</summary>
    public ValueTask CloseAsync()
    {
        lock (_lock) return _engine?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}
