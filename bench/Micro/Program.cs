using BenchmarkDotNet.Running;
using Varve.Bench.Micro.Memtables;

if (args is ["--quick", "memtable", ..])
{
    MemtableQuick.Run(count: args.Length > 2 ? int.Parse(args[2]) : 400_000, rounds: args.Length > 3 ? int.Parse(args[3]) : 6);
    return;
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
