using Varve.Tests.Crash.Calls;
using Varve.Tests.Crash.Children;
using Varve.Tests.Crash.Kill;
using Varve.Tests.Crash.Power;
using Varve.Tests.Shared;

return args switch
{
    [KillChild.Verb, ..] => KillChild.Start(args),
    [CallChild.Verb, ..] => CallChild.Start(args),
    _ => await Soak.RunAsync(args, new()
    {
        ["kill"] = KillLoop.RunAsync,
        ["kill-at-calls"] = CallLoop.KillAsync,
        ["error-at-calls"] = CallLoop.FailAsync,
        ["power-cuts"] = PowerCuts.RunAsync,
    }),
};
