using System.Diagnostics;
using Xunit.Abstractions;

namespace Varve.Tests.Conformance.Kill;

/// <summary>
/// A process killed at any instant leaves the state of exactly one chunk boundary, at or after its last acknowledgement.
/// <c>VARVE_KILL_CYCLES</c> kills in all (20), <c>VARVE_KILL_SEED</c> replays the log and the choices.
/// </summary>
public sealed class KillTests(ITestOutputHelper output) : DirectoryTest
{
    [Fact]
    public Task TheTestItselfAcceptsAMachineThatKeepsItsWord() => KillsAsync(KillChild.Journal, cycles: 4);

    [Theory]
    [InlineData(Durability.Process)]
    [InlineData(Durability.Interval)]
    [InlineData(Durability.Power)]
    public Task NothingAcknowledgedIsLostToAKill(Durability durability) =>
        KillsAsync(durability.ToString(), (Setting.Of("VARVE_KILL_CYCLES", 20) + 2) / 3);

    private async Task KillsAsync(string durability, int cycles)
    {
        ulong seed = Setting.Seed("VARVE_KILL_SEED", output);
        var random = new Random((int)(seed & int.MaxValue));
        var options = KillChild.Options(durability);
        await using var model = new DictionaryStateMachine(options);
        string directory = PathOf("db");
        for (int cycle = 0; cycle < cycles; cycle++)
        {
            ulong acknowledged = await RunAndKillAsync(directory, durability, seed, random.Next(0, 250), random.Next(0, 3_000));
            if (durability == KillChild.Journal)
            {
                using var journal = new JournalMachine(directory, options);
                await VerifyAsync(journal.Machine, model, seed, acknowledged);
            }
            else
            {
                await using var engine = LsmStateMachine.Open(directory, options);
                await VerifyAsync(engine, model, seed, acknowledged);
            }
        }
        output.WriteLine($"{durability}: {cycles} kills, {model.LastApplied.Index} entries");
    }

    private static async Task<ulong> RunAndKillAsync(string directory, string durability, ulong seed, int acknowledgements, int spins)
    {
        using var child = Process.Start(new ProcessStartInfo("dotnet")
        {
            ArgumentList = { "exec", typeof(KillTests).Assembly.Location, KillChild.Verb, directory, durability, $"{seed}" },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = child.StandardError.ReadToEndAsync();
        var pipe = child.StandardOutput.BaseStream;
        byte[] index = new byte[8];
        ulong last = 0;
        bool alive = true;
        for (int i = 0; i <= acknowledgements && alive; i++)
            alive = await ReadAsync();
        Assert.True(alive, $"The child died by itself: {await ErrorsIfDeadAsync()}");
        Thread.SpinWait(spins);
        child.Kill();
        while (await ReadAsync())
        {
            // What it had acknowledged before it died counts too.
        }
        await child.WaitForExitAsync();
        return last;

        async Task<bool> ReadAsync()
        {
            if (await pipe.ReadAtLeastAsync(index, 8, throwOnEndOfStream: false) < 8)
                return false;
            last = BitConverter.ToUInt64(index);
            return true;
        }

        async Task<string> ErrorsIfDeadAsync() => alive ? "" : await errors;
    }

    private static async Task VerifyAsync(IStateMachine survivor, DictionaryStateMachine model, ulong seed, ulong acknowledged)
    {
        ulong reached = survivor.LastApplied.Index;
        Assert.True(reached >= acknowledged, $"Entry {acknowledged} was acknowledged, {reached} is there");
        ApplyEntry[] chunk = [];
        ApplyResult[] results = [];
        while (model.LastApplied.Index < reached)
        {
            chunk = SeededLog.ChunkFrom(seed, model.LastApplied.Index + 1);
            results = await model.ApplyChunkAsync(chunk);
        }
        Assert.Equal(model.LastApplied, survivor.LastApplied);
        Assert.Equal(model.Count, survivor.Count);
        Assert.Equal(StateOf(model), StateOf(survivor));
        Assert.Equal(results, await survivor.ApplyChunkAsync(chunk));
        foreach (var entry in chunk)
            Assert.Equal(entry.Term, survivor.EntryTerm(entry.Index));
    }

    private static List<string> StateOf(IStateMachine machine) =>
        [.. machine.ScanPrefix([]).Entries.Select(entry => $"{Convert.ToHexString(entry.Key.Span)}={Convert.ToHexString(entry.Value.Span)}")];
}
