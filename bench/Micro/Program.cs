using BenchmarkDotNet.Running;
using Varve.Bench.Micro.Background;
using Varve.Bench.Micro.Changes;
using Varve.Bench.Micro.Diagnostics;
using Varve.Bench.Micro.Memtables;
using Varve.Bench.Micro.Reads;
using Varve.Bench.Micro.Wal;

if (args is ["--quick", "memtable", ..])
{
    MemtableQuick.Run(
        count: args.Length > 2 ? int.Parse(args[2]) : 400_000, rounds: args.Length > 3 ? int.Parse(args[3]) : 6);
    return;
}

if (args is ["--quick", "background", ..])
{
    BackgroundQuick.Run(
        entries: args.Length > 2 && long.TryParse(args[2], out var entries) ? entries : 2_000_000,
        hasReader: args.Contains("reader"), hasCheckpoint: args.Contains("checkpoint"));
    return;
}

if (args is ["--quick", "commit", ..])
{
    CommitQuick.Run(
        seconds: args.Length > 2 ? double.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 2);
    return;
}

if (args is ["--quick", "changes", ..])
{
    ChangesQuick.Run(
        rounds: args.Length > 2 ? int.Parse(args[2]) : 7,
        seconds: args.Length > 3 ? double.Parse(args[3], System.Globalization.CultureInfo.InvariantCulture) : 1);
    return;
}

if (args is ["--quick", "recovery", ..])
{
    RecoveryQuick.Run();
    return;
}

if (args is ["--quick", "open", ..])
{
    OpenQuick.Run(mebibytes: args.Length > 2 ? long.Parse(args[2]) : 512);
    return;
}

if (args is ["--quick", RecoveryQuick.FillPart, var filled, var chunkEntries])
{
    RecoveryQuick.FillAndDie(filled, int.Parse(chunkEntries));
    return;
}

if (args is ["--quick", "listeners", ..])
{
    ListenersQuick.Run(rounds: args.Length > 2 ? int.Parse(args[2]) : 11);
    return;
}

if (args is ["--quick", "reads", ..])
{
    ReadsQuick.Run(
        Number(2, 2_000_000), rounds: Number(3, 5), valueBytes: Number(4, 100), only: args.Length > 5 ? args[5] : "");
    return;

    int Number(int at, int usual) => args.Length > at ? int.Parse(args[at]) : usual;
}

// In this process: the tool's own project generator wants assemblies named as their projects, and ours are not.
string[] job = args.Any(a => a is "--job" or "-j") ? [] : ["--job", "short"];
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run([.. args, .. job, "--inProcess"]);
