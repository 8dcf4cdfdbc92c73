using Varve.Tests.Crash.Children;
using Varve.Tests.Crash.Kill;
using Varve.Tests.Shared;

return args switch
{
    [KillChild.Verb, ..] => KillChild.Start(args),
    _ => await Soak.RunAsync(args, new() { ["kill"] = KillLoop.RunAsync }),
};
