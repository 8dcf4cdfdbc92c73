using Varve.Tests.Crash.Beside;
using Varve.Tests.Crash.Calls;
using Varve.Tests.Crash.Growth;
using Varve.Tests.Crash.Kill;
using Varve.Tests.Crash.Power;
using Varve.Tests.Shared;

return await Soak.RunAsync(args, new()
{
    ["growth"] = GrowthRun.RunAsync,
    ["kill"] = KillLoop.RunAsync,
    ["beside"] = BesideLoop.RunAsync,
    ["view-over-reopen"] = ViewLoop.RunAsync,
    ["kill-at-calls"] = CallLoop.KillAsync,
    ["error-at-calls"] = CallLoop.FailAsync,
    ["power-cuts"] = PowerCuts.RunAsync,
});
