using System.CommandLine;
using Varve.Inspection;
using Varve.Storage;

namespace Varve.Cli.Data;

using Command = System.CommandLine.Command;

/// <summary>The options with which a command finds and opens a database.</summary>
internal sealed class DatabaseOptions
{
    private readonly Option<string> _data = new("--data", "-d")
    {
        Description = "The database's directory.",
        HelpName = "DIR",
        Required = true,
    };

    private readonly Option<string?> _leaseClock = new("--lease-clock")
    {
        Description = "Which clock leases expire by: local (the default) or log. Only a database that is made needs "
            + "it; one that is there has its own.",
    };

    public DatabaseOptions(Command command)
    {
        _leaseClock.AcceptOnlyFromAmong("local", "log");
        command.Add(_data);
        command.Add(_leaseClock);
    }

    /// <summary>Opens for reading alone: no lock is taken and nothing is written.</summary>
    public LsmStateMachine OpenReadOnly(ParseResult parsed) =>
        OpenExisting(parsed, Settings(parsed) with { ReadOnly = true });

    /// <summary>Opens for writing a database that must be there.</summary>
    public LsmStateMachine OpenExisting(ParseResult parsed) => OpenExisting(parsed, Settings(parsed));

    /// <summary>Says whether the directory that the user named has a database, whole or damaged.</summary>
    public bool Exists(ParseResult parsed) =>
        Verification.HasDatabase(Storages.Default, Path.GetFullPath(DirectoryOf(parsed)));

    /// <summary>The directory that the user named.</summary>
    public string DirectoryOf(ParseResult parsed) => parsed.GetRequiredValue(_data);

    /// <summary>Opens for writing, and creates the database if need be.</summary>
    /// <param name="parsed">What the user said.</param>
    /// <param name="adjust">Changes to the settings.</param>
    /// <param name="leaseClock">Of a database that is made, unless the user says it.</param>
    public LsmStateMachine OpenOrCreate(
        ParseResult parsed, Func<EngineOptions, EngineOptions>? adjust = null, LeaseClock leaseClock = LeaseClock.Local)
    {
        var settings = Settings(parsed, leaseClock);
        return LsmStateMachine.Open(parsed.GetRequiredValue(_data), adjust is null ? settings : adjust(settings));
    }

    private LsmStateMachine OpenExisting(ParseResult parsed, EngineOptions options)
    {
        var directory = parsed.GetRequiredValue(_data);
        // Opening creates what is not there, which nobody wants of a mistyped path.
        if (!Directory.Exists(directory)) throw new DirectoryNotFoundException($"{directory}: no such directory");
        if (!Exists(parsed)) throw new FileNotFoundException($"{directory}: no database in this directory");
        return LsmStateMachine.Open(directory, options);
    }

    private EngineOptions Settings(ParseResult parsed, LeaseClock ofNew = LeaseClock.Local) =>
        parsed.GetValue(_leaseClock) switch
        {
            null => new EngineOptions { LeaseClock = ofNew, TakesStoredLeaseClock = true },
            "log" => new EngineOptions { LeaseClock = LeaseClock.Log },
            _ => new EngineOptions { LeaseClock = LeaseClock.Local },
        };
}
