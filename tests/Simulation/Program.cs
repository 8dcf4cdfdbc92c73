using Varve.Tests.Shared;
using Varve.Tests.Simulation.Model;
using Varve.Tests.Simulation.Runs;

return await Soak.RunAsync(args, new()
{
    ["power-loss"] = PowerLoss.Run,
    ["exhaustive"] = Exhaustive.Run,
    ["recovery-crash"] = RecoveryCrash.Run,
    ["kth-error"] = KthError.Run,
    ["readers-at-calls"] = ReadersAtCalls.Run,
    ["disk-full"] = DiskFull.Run,
    ["model"] = soak => Task.Run(() => ModelSoak.Run(soak, 1_000_000)),
});
