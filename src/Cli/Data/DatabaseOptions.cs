using System.CommandLine;
using Varve.Inspection;
using Varve.Storage;

namespace Varve.Cli.Data;

using Command = System.CommandLine.Command;

/// <summary>The options of all commands that open a database.</summary>
internal sealed class DatabaseOptions
{
    private readonly Option<string> _data = new("--data", "-d")
    {
        Description = "Directory of the database.",
        HelpName = "DIR",
        Required = true,
    };

    private readonly Option<string?> _leaseClock = new("--lease-clock")
    {
        Description = "Lease clock of a new database: local (the default) or log. An existing database stores its "
            + "own.",
    };

    public DatabaseOptions(Command command)
    {
        _leaseClock.AcceptOnlyFromAmong("local", "log");
        command.Add(_data);
        command.Add(_leaseClock);
    }

    /// <summary>Opens for reading alone: takes no writer's lock and writes nothing.</summary>
    public LsmStateMachine OpenReadOnly(ParseResult parsed) =>
        OpenExisting(parsed, Settings(parsed) with { ReadOnly = true });

    /// <summary>Opens a directory that is no option of the command, for reading alone.</summary>
    public static LsmStateMachine OpenReadOnly(string directory) =>
        OpenExisting(directory, new EngineOptions { TakesStoredLeaseClock = true, ReadOnly = true });

    /// <summary>Opens an existing database for writing.</summary>
    public LsmStateMachine OpenExisting(ParseResult parsed) => OpenExisting(parsed, Settings(parsed));

    /// <summary>True if the user's directory holds a database, intact or damaged.</summary>
    public bool Exists(ParseResult parsed) => Exists(DirectoryOf(parsed));

    /// <summary>Path of the user's directory.</summary>
    public string DirectoryOf(ParseResult parsed) => parsed.GetRequiredValue(_data);

    /// <summary>Opens for writing; creates the database if there is none.</summary>
    /// <param name="parsed">The parsed command line.</param>
    /// <param name="adjust">Changes the options.</param>
    /// <param name="leaseClock">Lease clock of a new database, unless the user gives one.</param>
    public LsmStateMachine OpenOrCreate(
        ParseResult parsed, Func<EngineOptions, EngineOptions>? adjust = null, LeaseClock leaseClock = LeaseClock.Local)
    {
        var settings = Settings(parsed, leaseClock);
        return LsmStateMachine.Open(parsed.GetRequiredValue(_data), adjust is null ? settings : adjust(settings));
    }

    private LsmStateMachine OpenExisting(ParseResult parsed, EngineOptions options) =>
        OpenExisting(DirectoryOf(parsed), options);

    private static LsmStateMachine OpenExisting(string directory, EngineOptions options)
    {
        // An open would create a database at a mistyped path.
        if (!Directory.Exists(directory)) throw new DirectoryNotFoundException($"{directory}: no such directory");
        if (!Exists(directory)) throw new FileNotFoundException($"{directory}: no database in this directory");
        return LsmStateMachine.Open(directory, options);
    }

    private static bool Exists(string directory) =>
        Verification.HasDatabase(Storages.Default, Path.GetFullPath(directory));

    private EngineOptions Settings(ParseResult parsed, LeaseClock ofNew = LeaseClock.Local) =>
        parsed.GetValue(_leaseClock) switch
        {
            null => new EngineOptions { LeaseClock = ofNew, TakesStoredLeaseClock = true },
            "log" => new EngineOptions { LeaseClock = LeaseClock.Log },
            _ => new EngineOptions { LeaseClock = LeaseClock.Local },
        };
}
