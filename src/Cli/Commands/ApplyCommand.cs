using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Varve.Cli.Data;
using Varve.Cli.Json;
using Varve.Cli.Text;
using Varve.Format;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve apply LOG</c>: applies a log of encoded chunks to a database.</summary>
internal static class ApplyCommand
{
    public static Command Create()
    {
        var log = new Argument<string>("LOG")
        {
            Description = "Path of the log: frames of a 4-byte little-endian length and a chunk. Decompresses a .zst "
                + "file; - is standard input.",
        };
        var memtable =
            new Option<string?>("--memtable") { Description = "Size of a memtable, such as 64MiB.", HelpName = "SIZE" };
        var durability = new Option<string>("--durability")
        {
            Description = "Failures that an acknowledged chunk survives: of the process, or also of power.",
            DefaultValueFactory = _ => "process",
        };
        durability.AcceptOnlyFromAmong("process", "power", "interval");

        var json = JsonOption.Create();
        var command = new Command("apply", "Applies a log of encoded chunks; creates the database if there is none.")
        {
            log, memtable, durability, json
        };
        var database = new DatabaseOptions(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            using var chunks = ChunkLog.Open(parsed.GetRequiredValue(log));
            // Only a log that starts at index 1 may create a database.
            if (!database.Exists(parsed)) RequireBeginning(chunks, database.DirectoryOf(parsed));
            using var engine = database.OpenOrCreate(parsed, options => options with
            {
                MemtableBytes = parsed.GetValue(memtable) is { } size ? SizeText.Parse(size) : options.MemtableBytes,
                Durability = parsed.GetValue(durability) switch
                {
                    "power" => Durability.Power,
                    "interval" => Durability.Interval,
                    _ => Durability.Process,
                },
            });
            Run(engine, chunks, parsed.GetValue(json), cancellationToken);
            return Task.FromResult(ExitCode.Ok);
        });
        return command;
    }

    /// <summary>Throws unless the log can begin a new database.</summary>
    public static void RequireBeginning(ChunkLog chunks, string directory)
    {
        if (!chunks.TryPeekChunk(out var chunk))
            throw new UsageException($"{chunks.Name}: the log is empty, and there is no database in {directory}");
        var reader = new ChunkReader(chunk.Span);
        ulong? first = null;
        while (reader.TryRead(out var entry)) first ??= entry.Index;
        if (!reader.AtEnd) throw chunks.Malformed($"{reader.Error.Reason} at byte {reader.Error.Offset} of the chunk");
        if (first is { } index and not 1)
            throw new UsageException(
                $"{chunks.Name}: the frame at offset {chunks.FrameOffset} begins at index "
                    + $"{index}; there is no database in {directory}, and a new one starts at index 1");
    }

    private static void Run(LsmStateMachine engine, ChunkLog chunks, bool json, CancellationToken cancellationToken)
    {
        var totals = new ChunkApplier(engine);
        var clock = Stopwatch.StartNew();
        using (var progress = new LongWork("applying", "entries"))
            ApplyAll(totals, chunks, progress, cancellationToken);
        engine.Flush();
        if (json)
            JsonOutput.WriteDocument(
                new ApplySummary(
                    totals.Entries, totals.Chunks, chunks.Position, totals.Succeeded, Position.Of(engine.LastApplied),
                    engine.Count, clock.Elapsed.TotalSeconds));
        else Summarize(engine, totals, chunks.Position, clock.Elapsed);
    }

    private static void ApplyAll(
        ChunkApplier applier, ChunkLog chunks, LongWork progress, CancellationToken cancellationToken)
    {
        while (chunks.TryReadChunk(out var chunk))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                applier.Apply(chunk.Span);
            }
            catch (ArgumentException failure)
            {
                throw chunks.Malformed(Failure.MessageOf(failure));
            }
            catch (Exception failure) when (failure is LogGapException or DuplicateEntryException)
            {
                throw new UsageException(
                    $"{chunks.Name}: the frame at offset {chunks.FrameOffset} does not continue the applied log: "
                        + $"{failure.Message}");
            }

            progress.Report(chunks.Position, chunks.Progress, applier.Entries);
        }
    }

    private static void Summarize(LsmStateMachine engine, ChunkApplier applier, long bytes, TimeSpan elapsed)
    {
        var applied = engine.LastApplied;
        Console.Out.WriteLine(
            $"entries       {SizeText.Count(applier.Entries)} in {SizeText.Count(applier.Chunks)} chunks, "
                + $"{SizeText.Format(bytes)}");
        Console.Out.WriteLine($"succeeded     {SizeText.Count(applier.Succeeded)}");
        Console.Out.WriteLine(
            $"failed        "
                + $"{SizeText.Count(applier.Entries - applier.Succeeded)} (compare-and-swaps whose expectation did not "
                + "hold)");
        Console.Out.WriteLine($"last applied  index {applied.Index}, term {applied.Term}");
        Console.Out.WriteLine($"live keys     {SizeText.Count(engine.Count)}");
        Console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"time          {elapsed.TotalSeconds:F2} s: {Rates(applier.Entries, bytes, elapsed)}"));
    }

    private static string Rates(long entries, long bytes, TimeSpan elapsed)
    {
        var seconds = Math.Max(elapsed.TotalSeconds, 1e-9);
        return string.Create(
            CultureInfo.InvariantCulture, $"{entries / seconds:N0} entries/s, {bytes / 1e6 / seconds:F1} MB/s");
    }
}
