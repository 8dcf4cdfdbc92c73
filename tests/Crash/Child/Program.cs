using Varve.Tests.Crash.Child;

return args switch
{
    [KillChild.Verb, ..] => KillChild.Start(args),
    [CallChild.Verb, ..] => CallChild.Start(args),
    _ => 2,
};
