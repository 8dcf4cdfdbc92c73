using System.CommandLine;
using Varve.Cli.Data;
using Varve.Cli.Json;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary>
/// <c>varve import FILE</c>: applies an export. Chunks carry their indexes; lines get theirs in order.
/// </summary>
internal static class ImportCommand
{
    private static readonly Argument<string> File = new("FILE")
    {
        Description = "Path of an export; - is standard input."
    };

    private static readonly Option<bool> Resume = new("--resume")
    {
        Description = "Continue an interrupted import of the same lines behind the last applied entry.",
    };

    private static readonly Option<bool> Append = new("--append")
    {
        Description = "Apply the lines behind the last applied entry.",
    };

    private static readonly Option<ulong> FirstIndex = new("--first-index")
    {
        Description = "With --resume: the index that the first line got, as the interrupted import printed it.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<bool> Force = new("--force")
    {
        Description = "Write a database that a Raft group owns, too.",
    };

    private static readonly Option<string> Format = ExportCommand.FormatOption();
    private static readonly Option<bool> Json = JsonOption.Create();

    public static Command Create()
    {
        var command = new Command("import", "Applies an export; creates the database if there is none.")
        {
            File, Resume, Append, FirstIndex, Force, Format, Json
        };
        var database = new DatabaseOptions(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            if (parsed.GetValue(Resume) && parsed.GetValue(Append))
                throw new UsageException("give --resume or --append, not both");
            var summary = parsed.GetValue(Format) == "chunks"
                ? ImportChunks(parsed, database, cancellationToken)
                : ImportLines(parsed, database, cancellationToken);
            if (parsed.GetValue(Json)) JsonOutput.WriteDocument(summary);
            else Write(summary);
            return Task.FromResult(ExitCode.Ok);
        });
        return command;
    }

    private static ImportSummary ImportChunks(
        ParseResult parsed, DatabaseOptions database, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(Resume) || parsed.GetValue(Append))
            throw new UsageException("chunks carry their indexes: --resume and --append are for lines");
        using var chunks = ChunkLog.Open(parsed.GetRequiredValue(File));
        if (!database.Exists(parsed)) ApplyCommand.RequireBeginning(chunks, database.DirectoryOf(parsed));
        using var engine = Open(parsed, database);
        var import = new ChunkImport(engine, chunks);
        using (var progress = new LongWork("importing", "entries")) import.Run(progress, cancellationToken);
        engine.Flush();
        return new ImportSummary(
            import.Applied, import.Skipped, 0, Position.Of(engine.LastApplied), engine.Count);
    }

    private static ImportSummary ImportLines(
        ParseResult parsed, DatabaseOptions database, CancellationToken cancellationToken)
    {
        using var lines = JsonLines.Open(parsed.GetRequiredValue(File));
        if (lines.Peek() is null) throw new UsageException($"{lines.Name}: no entries");
        using var engine = Open(parsed, database);
        var import = new LineImport(engine, lines, FirstIndexOf(parsed, engine.LastApplied.Index));
        using (var progress = new LongWork("importing", "entries")) import.Run(progress, cancellationToken);
        engine.Flush();
        return new ImportSummary(
            import.Applied, import.Skipped, import.Expired, Position.Of(engine.LastApplied), engine.Count);
    }

    private static LsmStateMachine Open(ParseResult parsed, DatabaseOptions database)
    {
        var engine = database.OpenOrCreate(parsed);
        try
        {
            if (!parsed.GetValue(Force)) MarkText.RefuseOwned(engine, database.DirectoryOf(parsed));
            return engine;
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    private static ulong FirstIndexOf(ParseResult parsed, ulong last)
    {
        if (parsed.GetValue(Append))
        {
            Console.Error.WriteLine($"the first line gets index {last + 1}");
            return last + 1;
        }

        if (last > 0 && !parsed.GetValue(Resume))
            throw new UsageException(
                $"the database holds entries up to index {last}: pass --resume to continue an interrupted import of "
                    + "the same lines, or --append to apply them behind it");
        return parsed.GetValue(FirstIndex) is > 0 and var first
            ? first
            : throw new UsageException("--first-index must be 1 or more");
    }

    private static void Write(ImportSummary summary)
    {
        var expired = summary.Expired == 0 ? "" : $", {SizeText.Count(summary.Expired)} of them expired leases";
        Console.Out.WriteLine(
            $"imported: {SizeText.Count(summary.Applied)} entries{expired}; "
                + $"{SizeText.Count(summary.Skipped)} were applied before");
        Console.Out.WriteLine($"last applied: index {summary.LastApplied.Index}, term {summary.LastApplied.Term}");
        Console.Out.WriteLine($"live keys: {SizeText.Count(summary.Count)}");
    }
}
