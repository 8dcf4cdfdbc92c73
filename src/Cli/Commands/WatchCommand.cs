using System.CommandLine;
using System.Globalization;
using Varve.Cli.Data;
using Varve.Cli.Json;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary>
/// <c>varve watch [PREFIX]</c>: prints the changes of keys with a prefix, a line each, beside the writer, until Ctrl-C.
/// </summary>
internal static class WatchCommand
{
    public static Command Create()
    {
        var prefix = new Argument<string>("PREFIX")
        {
            Description = "The beginning of the keys: UTF-8 text, or hex: and pairs of hexadecimal digits; none: all "
                + "keys.",
            DefaultValueFactory = _ => "",
        };
        var from = new Option<ulong?>("--from")
        {
            Description = "Index of the first change, which may be past; by default the next one.",
            HelpName = "INDEX",
        };
        var interval = new Option<double>("--interval")
        {
            Description = "Seconds between two looks at the log, from 0.01 on.",
            HelpName = "SECONDS",
            DefaultValueFactory = _ => 0.1,
        };
        var most = new Option<long>("--count")
        {
            Description = "End after N changes.",
            HelpName = "N",
            DefaultValueFactory = _ => long.MaxValue,
        };
        var json = JsonOption.Create();
        var command = new Command("watch", "Prints changes as a writer applies them; ends with Ctrl-C.")
        {
            prefix, from, interval, most, json
        };
        var database = new DatabaseOptions(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(interval) is not (>= 0.01 and <= 86_400) || parsed.GetValue(most) < 1)
                throw new UsageException("--interval must be 0.01 to 86400 seconds, and --count 1 or more");
            var bytes = KeyText.Parse(parsed.GetValue(prefix)!);
            await using var engine = database.OpenReadOnly(parsed);
            var pause = TimeSpan.FromSeconds(parsed.GetValue(interval));
            var first = parsed.GetValue(from) ?? engine.LastApplied.Index + 1;
            return await RunAsync(
                engine, first, bytes, parsed.GetValue(most), parsed.GetValue(json), pause, cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(
        LsmStateMachine engine, ulong first, byte[] prefix, long most, bool json, TimeSpan pause,
        CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var following = FollowAsync(engine, pause, end);
        try
        {
            await PrintAsync(engine, first, prefix, most, json, end.Token);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested || following.IsFaulted)
        {
            // Ctrl-C is a way to end it. A look that failed ends it too, and is thrown below.
        }
        catch (ChangesLostException lost)
        {
            Console.Error.WriteLine(
                $"varve: the log no longer has the changes from there on; --from {lost.OldestIndex} begins at the "
                    + "oldest that it has");
            return ExitCode.NotFound;
        }
        finally
        {
            await end.CancelAsync();
            await following;
        }

        return ExitCode.Ok;
    }

    private static async Task PrintAsync(
        LsmStateMachine engine, ulong first, byte[] prefix, long most, bool json, CancellationToken end)
    {
        using var output = Console.OpenStandardOutput();
        var printed = 0L;
        await foreach (var change in engine.ReadChangesAsync(first, prefix, end))
        {
            if (json) JsonOutput.WriteLine(output, ChangeLine.Of(change));
            else Console.Out.WriteLine(Text(change));
            if (++printed >= most) return;
        }
    }

    /// <summary>Moves the engine to the writer's present state, until the end; ends the rest if a look fails.</summary>
    private static async Task FollowAsync(LsmStateMachine engine, TimeSpan pause, CancellationTokenSource end)
    {
        try
        {
            while (true)
            {
                await Task.Delay(pause, TimeProvider.System, end.Token);
                engine.TryCatchUp();
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
        catch
        {
            await end.CancelAsync();
            throw;
        }
    }

    private static string Text(Change change)
    {
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{change.Index} {ChangeLine.KindOf(change)} {KeyText.Escape(change.Key.Span)}");
        return change.Kind == ChangeKind.Put ? $"{line} {KeyText.Escape(change.Value.Span)}" : line;
    }
}
