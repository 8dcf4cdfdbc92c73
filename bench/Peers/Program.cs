using Varve.Bench.Peers;
using Varve.Bench.Peers.Reports;

try
{
    var arguments = BenchArguments.Parse(args);
    if (arguments.ChildEngine is not null) return ChildRunner.Run(arguments);
    if (arguments.Report.Count > 0)
    {
        ReportFiles.Write(arguments, RunResults.Load(arguments.Report));
        return 0;
    }

    if (arguments.List)
    {
        foreach (var set in Rows.All.GroupBy(w => w.Group.Set))
        {
            Console.WriteLine(set.Key);
            foreach (var group in set.GroupBy(w => w.Group))
            {
                Console.WriteLine($"  {group.Key.Name}");
                foreach (var row in group) Console.WriteLine(
                    $"    {row.Name,-28} "
                        + $"{row.TitleFor(arguments.Entries)}"
                        + $"{(Rows.Full.Contains(row) ? "" : " (not in the full run)")}");
            }
        }

        return 0;
    }

    return BenchRun.Run(arguments);
}
catch (Exception e)
    when (e is ArgumentException or FormatException or FileNotFoundException or DirectoryNotFoundException)
{
    Console.Error.WriteLine(e.Message);
    Console.Error.WriteLine(BenchArguments.Usage);
    return 1;
}
