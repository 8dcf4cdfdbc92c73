using Varve.Background;
using Varve.Contract;
using Varve.Diagnostics;
using Varve.Runtime;
using Varve.Storage;

namespace Varve.Recovery;

/// <summary>A database that this process has claimed and recovered, before an engine runs on it.</summary>
/// <param name="Engine">The state that every room of the engine shares.</param>
/// <param name="Storage">The file system.</param>
/// <param name="Directory">The full path of the directory.</param>
/// <param name="Claim">The writer's lock of the directory, or a reader's share.</param>
/// <param name="Recovered">What recovery made of its files.</param>
internal sealed record OpenedDatabase(
    EngineContext Engine, IStorage Storage, string Directory, DirectoryClaim Claim,
    RecoveredDatabase Recovered) : IDisposable
{
    /// <summary>Checks the options, claims the directory and recovers the database in it.</summary>
    /// <inheritdoc cref="LsmStateMachine.Open(string, EngineOptions?)" path="/exception"/>
    public static OpenedDatabase Open(string directory, EngineOptions options, EngineSeams seams)
    {
        (seams.Processor ?? Processor.Own).EnsureSupported();
        options = options with { }; // the caller's object may change
        OptionChecks.Check(options);
        var storage = seams.Storage ?? Storages.Default;
        directory = Path.GetFullPath(directory);
        options.Name ??= NameOf(directory);
        var log = new EngineLog(options.LoggerFactory);
        var telemetry = new EngineTelemetry(options.Name, seams.WorkClock);
        var claim = options.ReadOnly
            ? DirectoryClaim.TryRead(storage, directory) ?? throw DatabaseCreator.NoDatabase(storage, directory)
            : DirectoryClaim.Write(storage, directory);
        RecoveredDatabase? parts = null;
        try
        {
            parts = Recover(new DatabaseOpener(storage, directory, options, seams.Allocations), telemetry);
            options = options with { LeaseClock = parts.LeaseClock };
            var clock = new EngineClock(options, parts.Replay.LocalTimeMinMs(options.LeaseClock));
            var engine = new EngineContext(
                options, new EngineState(options, log), clock, new EngineCounters(), log, telemetry, new WakeSignal(),
                seams.Allocations, new ChangeSignal());
            return new OpenedDatabase(engine, storage, directory, claim, parts);
        }
        catch (Exception e)
        {
            parts?.Dispose();
            claim.Dispose();
            log.Post(logger => Log.OpenFailed(logger, e, directory));
            log.Emit();
            telemetry.Emit();
            throw;
        }
    }

    private static RecoveredDatabase Recover(DatabaseOpener opener, EngineTelemetry telemetry) =>
        telemetry.Run(Work.Recovery, facts =>
        {
            var parts = opener.Open();
            facts.Rows = parts.Replay.Entries;
            facts.Bytes = parts.Version.Memtables.Sum(memtable => memtable.Segment.End);
            facts.Index = parts.Replay.Position.Index;
            return parts;
        });

    /// <summary>The directory's name; of a root, its path.</summary>
    private static string NameOf(string directory) =>
        Path.GetFileName(Path.TrimEndingDirectorySeparator(directory)) is { Length: > 0 } name ? name : directory;

    /// <summary>Logs that the engine runs.</summary>
    public void LogOpened()
    {
        var (index, term) = Recovered.Replay.Position.Id;
        var (entries, torn) = (Recovered.Replay.Entries, Recovered.TornTailBytes);
        Engine.Log.Post(logger => Log.Opened(logger, Directory, index, term, entries, torn));
        Engine.Log.Emit();
        Engine.Telemetry.Emit();
    }

    /// <summary>Gives everything back if no engine was built on it.</summary>
    public void Dispose()
    {
        Recovered.Dispose();
        Claim.Dispose();
    }
}
