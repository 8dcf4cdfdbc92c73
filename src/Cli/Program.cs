using Varve.Cli;

return await CommandLine.RunAsync(args);
