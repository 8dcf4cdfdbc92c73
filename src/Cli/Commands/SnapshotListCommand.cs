using System.CommandLine;
using Spectre.Console;
using Varve.Cli.Json;
using Varve.Cli.Text;
using Varve.Snapshots;
using Varve.Storage;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary>
/// <c>varve snapshot list DIR</c>: lists the snapshots directly in a directory, directories and packed files, by their
/// manifests alone. A damaged one is reported and does not hide the others.
/// </summary>
internal static class SnapshotListCommand
{
    public static Command Create()
    {
        var path = new Argument<string>("DIR") { Description = "Directory that holds snapshots." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object a line." };
        var command = new Command("list", "Lists the snapshots in a directory, by index.") { path, json };
        command.SetAction(parsed =>
        {
            var directory = parsed.GetRequiredValue(path);
            if (!Directory.Exists(directory)) throw new DirectoryNotFoundException($"{directory}: no such directory");
            var (found, failures) = Find(directory);
            if (parsed.GetValue(json)) WriteLines(found);
            else if (found.Count > 0) WriteTable(found);
            Console.Out.Flush();
            foreach (var failure in failures) Console.Error.WriteLine(Failure.LineOf(failure));
            return failures.Count == 0 ? ExitCode.Ok : failures.Max(failure => Failure.ExitCodeOf(failure)!.Value);
        });
        return command;
    }

    private static (List<SnapshotLine> Found, List<Exception> Failures) Find(string directory)
    {
        var (found, failures) = (new List<SnapshotLine>(), new List<Exception>());
        foreach (var entry in Directory.EnumerateFileSystemEntries(directory).Order(StringComparer.Ordinal))
        {
            var isDirectory = Directory.Exists(entry);
            if (isDirectory ? !File.Exists(Path.Combine(entry, Format.SnapshotNames.Manifest)) : !IsPack(entry))
                continue;
            try
            {
                var snapshot = SnapshotFiles.Read(Storages.Default, Path.GetFullPath(entry));
                found.Add(SnapshotLine.Of(entry, snapshot) with
                {
                    Bytes = isDirectory
                        ? new DirectoryInfo(entry).EnumerateFiles().Sum(file => file.Length)
                        : new FileInfo(entry).Length,
                });
            }
            catch (Exception failure) when (Failure.ExitCodeOf(failure) is not null)
            {
                failures.Add(failure);
            }
        }

        return (found.OrderBy(line => line.Index).ToList(), failures);
    }

    private static bool IsPack(string file) => file.EndsWith(".varve", StringComparison.OrdinalIgnoreCase);

    private static void WriteLines(List<SnapshotLine> snapshots)
    {
        using var output = Console.OpenStandardOutput();
        foreach (var snapshot in snapshots) JsonOutput.WriteLine(output, snapshot);
    }

    private static void WriteTable(List<SnapshotLine> snapshots)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("snapshot");
        foreach (var number in (string[])["index", "term", "keys", "tables", "size"])
            table.AddColumn(new TableColumn(number).RightAligned());
        foreach (var line in snapshots)
            table.AddRow(
                new Spectre.Console.Text(Path.GetFileName(line.Path!)), Cell($"{line.Index}"), Cell($"{line.Term}"),
                Cell(SizeText.Count(line.Keys ?? 0)), Cell(SizeText.Count(line.Tables ?? 0)),
                Cell(SizeText.Format(line.Bytes ?? 0)));
        AnsiConsole.Write(table);

        static Spectre.Console.Text Cell(string text) => new(text);
    }
}
