using System.CommandLine;
using Varve.Cli.Dump;
using Varve.Cli.Text;
using Varve.Snapshots;
using Varve.Storage;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve dump KIND FILE</c>: prints the structures of a file, one line each.</summary>
internal static class DumpCommand
{
    /// <summary>A file is read into one array.</summary>
    private static long FileBytesMax => Array.MaxLength;

    private delegate void Dumper(ReadOnlySpan<byte> file, DumpWriter writer);

    public static Command Create() => new(
        "dump", "Prints the structures of a file, with offsets, sizes, kinds and indexes.")
    {
        Of("wal", "A segment of the write-ahead log: records and their operations.", WalDump.Write),
        Of("table", "A table: footer, properties, blocks, rows.", TableDump.Write),
        Of("manifest", "A manifest log: version edits.", ManifestDump.Write),
        Of(
            "snapshot", "A snapshot, a directory or a packed file: state and tables.",
            (path, writer) => SnapshotDump.Write(SnapshotFiles.Read(Storages.Default, path), writer)),
    };

    private static Command Of(string name, string description, Dumper dump) => Of(name, description, (path, writer) =>
    {
        var length = new FileInfo(path).Length;
        if (length > FileBytesMax)
            throw new UsageException($"{path}: {length} bytes; this command reads files of up to {FileBytesMax}");
        dump(File.ReadAllBytes(path), writer);
    });

    private static Command Of(string name, string description, Action<string, DumpWriter> dump)
    {
        var file = new Argument<string>("FILE") { Description = "Path of the file." };
        var limit = new Option<long>("--limit", "-n")
        {
            Description = "Print at most N lines.",
            HelpName = "N",
            DefaultValueFactory = _ => long.MaxValue
        };
        var command = new Command(name, description) { file, limit };
        command.SetAction(parsed =>
        {
            var path = parsed.GetRequiredValue(file);
            using var output = new StreamWriter(Console.OpenStandardOutput(), bufferSize: 64 << 10);
            using var writer = new DumpWriter(path, output, parsed.GetValue(limit));
            dump(path, writer);
            return ExitCode.Ok;
        });
        return command;
    }
}
