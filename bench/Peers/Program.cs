using Varve.Bench.Peers;
using Varve.Bench.Peers.Reports;

try
{
    var arguments = BenchArguments.Parse(args);
    if (arguments.ChildEngine is not null) return ChildRunner.Run(arguments);
    if (arguments.Load is not null) return BenchRun.Report(arguments, RunResult.Load(arguments.Load));
    if (arguments.List)
    {
        foreach (var set in Rows.All.GroupBy(w => w.Group.Set))
        {
            Console.WriteLine(set.Key);
            foreach (var group in set.GroupBy(w => w.Group))
            {
                Console.WriteLine($"  {group.Key.Name}");
                foreach (var row in group) Console.WriteLine($"    {row.Name,-28} {row.TitleFor(arguments.Entries)}");
            }
        }

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
