using Varve.Tests.Shared;
using Varve.Tests.Simulation.Runs;

return await Soak.RunAsync(args, new()
{
    ["power-loss"] = PowerLoss.Run,
});
