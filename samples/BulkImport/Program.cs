using System.Globalization;
using Varve;
using Varve.Samples.BulkImport;

// Usage: bulk-import FILE DIRECTORY [LAST-LINE]    the file has lines of a key, a tab and a value

if (args.Length is < 2 or > 3)
{
    Console.Error.WriteLine("usage: bulk-import FILE DIRECTORY [LAST-LINE]");
    return 1;
}

try
{
    using var lines = File.OpenText(args[0]);
    var lastLine = args.Length == 3 ? ulong.Parse(args[2], CultureInfo.InvariantCulture) : ulong.MaxValue;
    await using var engine = LsmStateMachine.Open(args[1]);
    Console.WriteLine($"applied before: {engine.LastApplied.Index} lines");
    new Importer(engine).Import(lines, lastLine);
    await engine.CompactAsync(); // also flushes: from here on everything is durable, and reads meet one run
    Console.WriteLine($"applied now: {engine.LastApplied.Index} lines, {engine.Count} keys, "
        + $"{engine.GetStatistics().Runs.Count} run");
    return 0;
}
catch (Exception failure) when (failure is FormatException or IOException or EngineFaultedException)
{
    Console.Error.WriteLine(failure.Message);
    return 2;
}
