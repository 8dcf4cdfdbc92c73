using Varve.Tests.Shared;
using Varve.Tests.Simulation.Model;

return await Soak.RunAsync(
    args,
    new()
    {
        ["model"] = soak => Task.Run(() => ModelSoak.Run(soak, 1_000_000)),
    });
