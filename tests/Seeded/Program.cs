using Varve.Tests.Seeded;
using Varve.Tests.Shared;

// The copy among the files of another test project runs tests.
if (args is [TestHost.Verb, var assembly]) return TestHost.Run(assembly);

return await Soak.RunAsync(args, new()
{
    ["run"] = Hunt.Run,
    ["search"] = Hunt.Search,
    ["list"] = Hunt.List,
});
