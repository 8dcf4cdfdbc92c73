using Varve.Tests.Shared;

return await Soak.RunAsync(args, []);
