using Varve.Tests.Schedules;
using Varve.Tests.Shared;

return await Soak.RunAsync(args, new()
{
    ["explore"] = soak => Task.Run(() => Soaks.Explore(soak, 100_000, Environment.ProcessorCount)),
    ["exhaustive"] = soak => Task.Run(() => Soaks.Exhaust(soak, isLong: true, Environment.ProcessorCount)),
    ["exhaustive-short"] = soak => Task.Run(() => Soaks.Exhaust(soak, isLong: false, Environment.ProcessorCount)),
    ["replay"] = soak => Task.Run(() => Soaks.Replay(soak)),
});
