using Varve.Tests.Crash.Child;
using Varve.Tests.Crash.Children;

namespace Varve.Tests.Crash.Beside;

/// <summary>
/// A writer in a process of its own, which applies, flushes, compacts, cuts snapshots, resets and installs, and is
/// killed now and then; beside it readers in this process, one that is held and others that come and go. Whatever a
/// reader shows is the whole state at the end of one chunk, and the same until it catches up.
/// </summary>
internal sealed class BesideLane(
    ChildProgram program, string root, string durability, ulong seed, BesideFigures figures)
{
    private const ulong EntriesMax = 20_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Random _random = new((int)(seed & int.MaxValue));
    private readonly EngineOptions _options = KillChild.Options(durability) with { ReadOnly = true };
    private int _databases;
    private string _directory = "";
    private ulong _logSeed;
    private SeededModel _model = new(0, new EngineOptions());
    private LsmStateMachine? _held;

    public async Task RunAsync(Func<bool> isWanted)
    {
        Begin();
        try
        {
            while (isWanted())
            {
                await LiveAsync(isWanted);
                await ReadHeldAsync(); // the writer is dead
                if (_held!.LastApplied.Index > EntriesMax) Begin();
            }
        }
        finally
        {
            _held?.Dispose();
        }
    }

    private void Begin()
    {
        _held?.Dispose();
        _held = null;
        _directory = Path.Combine(root, $"beside-{durability}-{seed}-{_databases++}");
        Directory.CreateDirectory(root);
        _logSeed = seed + (ulong)_databases;
        _model = new SeededModel(_logSeed, KillChild.Options(durability));
    }

    /// <summary>One life of the writer.</summary>
    private async Task LiveAsync(Func<bool> isWanted)
    {
        using var progress = new SemaphoreSlim(0);
        using var child = new ChildProcess(
            program,
            KillChild.Arguments(
                _directory, durability, _logSeed, (ulong)_random.NextInt64(), rounds: 0, isEarly: false),
            message =>
            {
                if (message.Kind == MessageKind.Applied) progress.Release();
            },
            message => message.Kind == MessageKind.Applied);
        if (!await child.AwaitAsync())
            throw new ForbiddenStateException($"The writer ended by itself: {await child.ErrorsAsync()}");
        for (var left = _random.Next(20, 200); left > 0 && isWanted(); left--)
        {
            // Mostly after it did something.
            if (_random.Next(4) > 0)
            {
                while (progress.Wait(TimeSpan.Zero))
                {
                    // Activity before this point does not count.
                }

                if (!await progress.WaitAsync(Patience)) throw new ForbiddenStateException("The writer stands still");
            }

            if (_held is null || _random.Next(8) == 0) await OpenAsync();
            else if (_random.Next(3) == 0) await ReadHeldAsync();
            else await CatchUpAsync();
        }

        var code = await child.KillAsync();
        if (code != 137)
            throw new ForbiddenStateException(
                $"The writer died of itself with code {code}: {await child.ErrorsAsync()}");
        figures.Killed();
    }

    private async Task OpenAsync()
    {
        var opened = LsmStateMachine.Open(_directory, _options);
        figures.Opened();
        if (_held is null || _random.Next(2) == 0) (_held, opened) = (opened, _held);
        await ReadHeldAsync();
        opened?.Dispose();
    }

    private async Task CatchUpAsync()
    {
        figures.CaughtUp(_held!.TryCatchUp());
        await ReadHeldAsync();
    }

    private async Task ReadHeldAsync() => figures.Read(await _model.VerifyReadsAsync(_held!));
}
