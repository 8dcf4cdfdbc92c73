using SharpFuzz;
using Varve.Fuzz.Mutation;
using Varve.Fuzz.Targets;

namespace Varve.Fuzz;

/// <summary>
/// The command line; README.md beside this file says how to use it. Exit code 0: nothing found, 1: findings, 2: wrong
/// use.
/// </summary>
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
        ["sharpfuzz", var name, .. var rest] when Registry.Find(name) is { } target =>
            Outside(target, rest is ["--libfuzzer", ..]),
        _ => Usage(),
    };

    private static int List()
    {
        foreach (var target in Registry.All)
            Console.WriteLine(
                $"{target.Name,-18} {Places.CorpusOf(target).Count(),3} inputs, at most {target.AllocationMax >> 20} "
                    + $"MiB an execution{(target.IsPlanted ? ", has a bug on purpose" : "")}");
        return 0;
    }

    private static int Seed()
    {
        foreach (var target in Registry.All) Console.WriteLine($"{target.Name}: {Places.WriteSeeds(target)} seeds");
        return 0;
    }

    private static int Fuzz(IEnumerable<FuzzTarget> targets, string[] options)
    {
        var (executions, seconds, seed, workers) = (long.MaxValue, double.PositiveInfinity, 1UL, 1);
        for (var i = 0; i < options.Length; i += 2)
        {
            var value = i + 1 < options.Length ? options[i + 1] : "";
            var understood = options[i] switch
            {
                "--executions" => long.TryParse(value, out executions),
                "--seconds" => double.TryParse(value, out seconds),
                "--seed" => ulong.TryParse(value, out seed),
                "--workers" => int.TryParse(value, out workers) && workers is >= 1 and <= 256,
                _ => false,
            };
            if (!understood) return Usage();
        }

        if (executions == long.MaxValue && double.IsInfinity(seconds)) seconds = 10;
        var time = double.IsInfinity(seconds) ? TimeSpan.MaxValue : TimeSpan.FromSeconds(seconds);
        var findings = 0;
        foreach (var target in targets) findings += FuzzOne(target, executions, time, seed, workers);
        return findings == 0 ? 0 : Found;
    }

    private static int FuzzOne(FuzzTarget target, long executions, TimeSpan time, ulong seed, int workers)
    {
        var runs = Workers.Run(target, executions, time, seed, workers, hang =>
        {
            Console.WriteLine(Places.Save(hang));
            Environment.Exit(Hung);
        });
        var (count, elapsed) = (runs.Sum(run => run.Executions), runs.Max(run => run.Elapsed));
        Finding[] findings = [.. runs.SelectMany(run => run.Findings)];
        Console.WriteLine(
            $"{target.Name,-18} seed {seed}: {count,10:N0} executions, {count / elapsed.TotalSeconds,9:N0}/s, "
                + $"{runs.Max(run => run.Features),5} features, {runs.Max(run => run.Kept),5} kept, {findings.Length} "
                + "findings");
        foreach (var finding in findings)
        {
            Console.WriteLine($"  {finding.ToString().ReplaceLineEndings("\n    ")}");
            Console.WriteLine($"  {Places.Save(finding)}");
        }

        return findings.Length;
    }

    private static int Replay(FuzzTarget target, string[] files)
    {
        var execution = new Execution(target, new Limits());
        var found = 0;
        foreach (var file in files)
        {
            var broken = execution.Run(File.ReadAllBytes(file), out var feature);
            Console.WriteLine(
                broken is { } what ? $"{file}: {what.Kind}: {what.Detail}" : $"{file}: feature {feature:x16}");
            found += broken is null ? 0 : Found;
        }

        return Math.Min(found, Found);
    }

    /// <summary>
    /// For an instrumented build under AFL or libFuzzer; they bring coverage, which the built-in loop has not.
    /// </summary>
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
        Console.Error.WriteLine("fuzz list | seed | run TARGET | all [--executions N] [--seconds S] [--seed X] "
            + "[--workers W] | replay TARGET FILE... | sharpfuzz TARGET [--libfuzzer]");
        return WrongUse;
    }
}
