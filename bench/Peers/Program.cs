using Varve.Bench.Peers;

try
{
    var arguments = BenchArguments.Parse(args);
    if (arguments.ChildEngine is not null) return ChildRunner.Run(arguments);
    if (arguments.List)
    {
        foreach (var workload in Workload.All) Console.WriteLine($"{workload.Name,-16} {workload.Title}");
        return 0;
    }

    return BenchRun.Run(arguments);
}
catch (Exception e) when (e is ArgumentException or FormatException)
{
    Console.Error.WriteLine(e.Message);
    Console.Error.WriteLine(BenchArguments.Usage);
    return 1;
}
