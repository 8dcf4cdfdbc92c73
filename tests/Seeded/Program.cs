using Varve.Tests.Seeded;
using Varve.Tests.Shared;

// Stands first: the host is started once a bug.
if (args is [TestHost.Verb, var assembly, var mode, .. var tests]) return TestHost.Run(assembly, mode == "all", tests);

return await Soak.RunAsync(args, new()
{
    ["run"] = Hunt.Run,
    ["search"] = Hunt.Search,
    ["list"] = Hunt.List,
});
