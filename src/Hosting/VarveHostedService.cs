using Microsoft.Extensions.Hosting;

namespace Varve.Extensions.Hosting;

/// <summary>Opens an engine before the host's services start, and closes it after they have stopped.</summary>
internal sealed class VarveHostedService(VarveInstance instance) : IHostedLifecycleService
{
    // An open reads the log and may take seconds. The host starts its services one by one unless told otherwise, so
    // the open must not hold up the thread that starts them.
    public Task StartingAsync(CancellationToken cancellationToken) =>
        Task.Run(() => instance.Engine, cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => instance.CloseAsync().AsTask();
}
