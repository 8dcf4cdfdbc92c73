using System.CommandLine;
using Varve.Cli.Data;
using Varve.Cli.Json;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve export</c>: writes the live entries as JSON lines or as framed chunks.</summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        var prefix = new Option<string>("--prefix")
        {
            Description = "Export only keys with this prefix: UTF-8 text, or hex: and pairs of hexadecimal digits.",
            HelpName = "PREFIX",
            DefaultValueFactory = _ => "",
        };
        var from = new Option<string>("--from")
        {
            Description = "Begin at this key, which an earlier export did not reach.",
            HelpName = "KEY",
            DefaultValueFactory = _ => "",
        };
        var output = new Option<string>("--out", "-o")
        {
            Description = "File to write, which must not exist; - is standard output.",
            HelpName = "FILE",
            DefaultValueFactory = _ => "-",
        };
        var format = FormatOption();
        var json = JsonOption.Create();
        var command = new Command("export", "Writes live entries and their leases, at one revision.")
        {
            prefix, from, output, format, json
        };
        var database = new DatabaseOptions(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var (first, within) = (KeyText.Parse(parsed.GetValue(from)!), KeyText.Parse(parsed.GetValue(prefix)!));
            var asChunks = parsed.GetValue(format) == "chunks";
            var path = parsed.GetValue(output)!;
            if (path != "-") PackedFile.EnsureFree(path);
            else if (parsed.GetValue(json)) throw new UsageException("--json reports on a file: give --out, too");
            using var engine = database.OpenReadOnly(parsed);
            if (path == "-")
            {
                using var stream = new BufferedStream(Console.OpenStandardOutput(), 256 << 10);
                Run(engine, stream);
                return Task.FromResult(ExitCode.Ok);
            }

            EntryExport? export = null;
            DurableOutput.Write(path, stream => export = Run(engine, stream));
            var summary = new ExportSummary(Path.GetFullPath(path), export!.Revision, export.Keys, export.Bytes);
            if (parsed.GetValue(json)) JsonOutput.WriteDocument(summary);
            else
                Console.Out.WriteLine(
                    $"exported: {SizeText.Count(summary.Keys)} keys, {SizeText.Format(summary.Bytes)}, "
                        + $"at index {summary.Revision}");
            return Task.FromResult(ExitCode.Ok);

            EntryExport Run(LsmStateMachine source, Stream stream)
            {
                using var progress = new LongWork("exporting");
                var entries = new EntryExport(source, stream, progress, within.Length == 0 ? source.Count : null);
                entries.Run(within, first, asChunks, cancellationToken);
                return entries;
            }
        });
        return command;
    }

    /// <summary>The option <c>--format</c> of export and import.</summary>
    public static Option<string> FormatOption()
    {
        var format = new Option<string>("--format")
        {
            Description = "jsonl: one JSON object a line. chunks: the wire format, frames of a 4-byte little-endian "
                + "length and a chunk.",
            DefaultValueFactory = _ => "jsonl",
        };
        format.AcceptOnlyFromAmong("jsonl", "chunks");
        return format;
    }
}
