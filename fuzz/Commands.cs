using SharpFuzz;
using Varve.Fuzz.Mutation;
using Varve.Fuzz.Targets;

namespace Varve.Fuzz;

/// <summary>The command line; README.md beside this file says how to use it. Exit code 0: nothing found, 1: findings, 2: wrong use.</summary>
internal static class Commands
{
    private const int Found = 1;
    private const int WrongUse = 2;
    private const int Hung = 3;

    public static int Run(string[] args) => args switch
    {
        ["list"] => List(),
        ["seed"] => Seed(),
        ["all", .. var options] => Fuzz(Registry.All.Where(target => !target.IsPlanted), options),
        ["run", var name, .. var options] when Registry.Find(name) is { } target => Fuzz([target], options),
        ["replay", var name, .. var files] when Registry.Find(name) is { } target => Replay(target, files),
        ["sharpfuzz", var name, .. var rest] when Registry.Find(name) is { } target => Outside(target, rest is ["--libfuzzer", ..]),
        _ => Usage(),
    };

    private static int List()
    {
        foreach (var target in Registry.All)
            Console.WriteLine($"{target.Name,-18} {Places.CorpusOf(target).Count(),3} inputs, at most {target.AllocationMax >> 20} MiB an execution{(target.IsPlanted ? ", has a bug on purpose" : "")}");
        return 0;
    }

    private static int Seed()
    {
        foreach (var target in Registry.All) Console.WriteLine($"{target.Name}: {Places.WriteSeeds(target)} seeds");
        return 0;
    }

    private static int Fuzz(IEnumerable<FuzzTarget> targets, string[] options)
    {
        var (executions, seconds, seed) = (long.MaxValue, double.PositiveInfinity, 1UL);
        for (var i = 0; i < options.Length; i += 2)
        {
            var value = i + 1 < options.Length ? options[i + 1] : "";
            var understood = options[i] switch
            {
                "--executions" => long.TryParse(value, out executions),
                "--seconds" => double.TryParse(value, out seconds),
                "--seed" => ulong.TryParse(value, out seed),
                _ => false,
            };
            if (!understood) return Usage();
        }

        if (executions == long.MaxValue && double.IsInfinity(seconds)) seconds = 10;
        var time = double.IsInfinity(seconds) ? TimeSpan.MaxValue : TimeSpan.FromSeconds(seconds);
        var findings = 0;
        foreach (var target in targets) findings += FuzzOne(target, executions, time, seed);
        return findings == 0 ? 0 : Found;
    }

    private static int FuzzOne(FuzzTarget target, long executions, TimeSpan time, ulong seed)
    {
        var limits = new Limits();
        using var inFlight = new InFlight(target.Name);
        using var watchdog = new Watchdog(limits.Hang, input =>
        {
            Console.WriteLine(Places.Save(new Finding(target.Name, FindingKind.Hang, input, seed, -1, $"longer than {limits.Hang}")));
            Environment.Exit(Hung);
        });
        var run = new MutationRun(target, Places.CorpusOf(target).Select(file => file.Bytes), seed, limits, watchdog) { BeforeExecution = inFlight.Note };
        run.Run(executions, time);
        Console.WriteLine(
            $"{target.Name,-18} seed {seed}: {run.Executions,9:N0} executions, {run.Executions / run.Elapsed.TotalSeconds,9:N0}/s, {run.Features,5} features, {run.Kept,5} kept, {run.Findings.Count} findings");
        foreach (var finding in run.Findings)
        {
            Console.WriteLine($"  {finding.ToString().ReplaceLineEndings("\n    ")}");
            Console.WriteLine($"  {Places.Save(finding)}");
        }

        return run.Findings.Count;
    }

    private static int Replay(FuzzTarget target, string[] files)
    {
        var execution = new Execution(target, new Limits());
        var found = 0;
        foreach (var file in files)
        {
            var broken = execution.Run(File.ReadAllBytes(file), out var feature);
            Console.WriteLine(broken is { } what ? $"{file}: {what.Kind}: {what.Detail}" : $"{file}: feature {feature:x16}");
            found += broken is null ? 0 : Found;
        }

        return Math.Min(found, Found);
    }

    /// <summary>For an instrumented build under AFL or libFuzzer; they bring coverage, which the built-in loop has not.</summary>
    private static int Outside(FuzzTarget target, bool libFuzzer)
    {
        if (libFuzzer)
        {
            Fuzzer.LibFuzzer.Run(input => target.Run(input));
            return 0;
        }

        Fuzzer.OutOfProcess.Run((Stream stream) =>
        {
            using var input = new MemoryStream();
            stream.CopyTo(input);
            target.Run(input.ToArray());
        });
        return 0;
    }

    private static int Usage()
    {
        Console.Error.WriteLine("fuzz list | seed | run TARGET | all [--executions N] [--seconds S] [--seed X] | replay TARGET FILE... | sharpfuzz TARGET [--libfuzzer]");
        return WrongUse;
    }
}
