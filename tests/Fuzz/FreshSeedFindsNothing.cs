using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Varve.Fuzz.Targets;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Fuzz;

/// <summary>
/// Every target for about a second, with a seed that no run had before; VARVE_FUZZ_SEED repeats one. In a process of
/// its own, for a read out of bounds ends it. What is found stays in fuzz/findings.
/// </summary>
public class FreshSeedFindsNothing(ITestOutputHelper output)
{
    private const string SecondsEach = "1.2";

    [Fact]
    public async Task EveryTargetAcceptsOrRejectsMutants()
    {
        var seed = Environment.GetEnvironmentVariable("VARVE_FUZZ_SEED") is { Length: > 0 } asked
            ? asked
            : RandomNumberGenerator.GetInt32(1, int.MaxValue).ToString(CultureInfo.InvariantCulture);
        Console.WriteLine($"fuzz: seed {seed}");
        string[] arguments = [
            "exec", typeof(Registry).Assembly.Location, "all", "--seconds", SecondsEach, "--seed", seed];
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        output.WriteLine(said);
        Assert.True(
            process.ExitCode == 0,
            $"fuzz -- all --seconds {SecondsEach} --seed {seed} ended with "
                + $"{process.ExitCode}:\n{said}\n{await errors}");
        foreach (var target in Registry.All.Where(target => !target.IsPlanted))
            Assert.Contains(target.Name, said, StringComparison.Ordinal);
    }
}
