using System.CommandLine;
using Spectre.Console;
using Varve.Cli.Data;
using Varve.Cli.Json;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary>
/// A command that applies one entry: the next index, in the term of the last applied entry. A Raft group gives that
/// index to an entry of its own, so the tool asks before it takes it.
/// </summary>
internal sealed class SingleEntry
{
    private readonly Option<bool> _yes = new("--yes", "-y")
    {
        Description = "Do not ask. Required if standard input is not a terminal."
    };

    private readonly Option<bool> _force = new("--force")
    {
        Description = "Write a database that a Raft group owns, too."
    };

    private readonly Option<bool> _json = JsonOption.Create();
    private readonly DatabaseOptions _database;

    public SingleEntry(Command command)
    {
        command.Add(_yes);
        command.Add(_force);
        command.Add(_json);
        _database = new DatabaseOptions(command);
    }

    public static Argument<string> KeyArgument() => new("KEY")
    {
        Description = "The key: UTF-8 text, or hex: and pairs of hexadecimal digits."
    };

    /// <summary>True if the user needs no question.</summary>
    public bool IsConfirmed(ParseResult parsed) => parsed.GetValue(_yes);

    /// <summary>
    /// Opens the database for writing; refuses to without a terminal to ask on and <c>--yes</c>, and one that a Raft
    /// group owns without <c>--force</c>.
    /// </summary>
    public LsmStateMachine Open(ParseResult parsed)
    {
        if (!IsConfirmed(parsed) && Console.IsInputRedirected)
            throw new UsageException("standard input is not a terminal to ask on: pass --yes");
        var engine = _database.OpenExisting(parsed);
        try
        {
            if (!parsed.GetValue(_force)) MarkText.RefuseOwned(engine, _database.DirectoryOf(parsed));
            return engine;
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    /// <summary>Asks whether to go on, unless the user said yes in advance.</summary>
    public void Confirm(ParseResult parsed, LsmStateMachine engine, string effect)
    {
        if (IsConfirmed(parsed)) return;
        var terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        var question = Markup.Escape(
            $"{effect} as entry {engine.LastApplied.Index + 1}? "
                + $"Answer no if a Raft group owns {_database.DirectoryOf(parsed)}");
        if (!terminal.Prompt(new ConfirmationPrompt(question) { DefaultValue = false }))
            throw new UsageException("nothing was changed");
    }

    /// <summary>Applies the command, makes it durable, and prints its position.</summary>
    public int Apply(ParseResult parsed, LsmStateMachine engine, Varve.Command command)
    {
        var applied = NextEntry.Apply(engine, command);
        engine.Flush();
        if (parsed.GetValue(_json))
            JsonOutput.WriteDocument(new AppliedReport(applied.Index, applied.Term));
        else
            Console.Out.WriteLine($"applied: index {applied.Index}, term {applied.Term}");
        return ExitCode.Ok;
    }
}
