using System.CommandLine;
using Varve.Cli.Data;
using Varve.Cli.Json;
using Varve.Cli.Sizes;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve size [PREFIX]</c>: prints what the live keys and values amount to.</summary>
internal static class SizeCommand
{
    public static Command Create()
    {
        var prefix = new Argument<string>("PREFIX")
        {
            Description = "Count only keys with this prefix: UTF-8 text, or hex: and pairs of hexadecimal digits.",
            DefaultValueFactory = _ => "",
        };
        var separator = new Option<string>("--separator", "-s")
        {
            Description = "What ends a level of a key; empty: do not group. Text or hex:.",
            HelpName = "TEXT",
            DefaultValueFactory = _ => "/",
        };
        var top = new Option<int>("--top", "-n")
        {
            Description = "Print at most N prefixes and N of the largest keys.",
            HelpName = "N",
            DefaultValueFactory = _ => 10,
        };
        var json = JsonOption.Create();
        var command = new Command(
            "size", "Prints bytes and keys by prefix, the largest keys, and how sizes are distributed.")
        {
            prefix, separator, top, json
        };
        var database = new DatabaseOptions(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var bytes = KeyText.Parse(parsed.GetValue(prefix) ?? "");
            var shown = parsed.GetValue(top);
            if (shown is < 0 or > SizeSurvey.GroupsMax)
                throw new UsageException($"--top must be 0 to {SizeSurvey.GroupsMax}");
            using var engine = database.OpenReadOnly(parsed);
            var survey = new SizeSurvey(bytes, KeyText.Parse(parsed.GetValue(separator) ?? ""), shown);
            using (var progress = new LongWork("counting"))
                survey.Run(engine, progress, bytes.Length == 0 ? engine.Count : null, cancellationToken);
            if (parsed.GetValue(json))
                JsonOutput.WriteDocument(SizeDocument.Of(bytes, survey, shown));
            else SizeTables.Write(bytes, survey, shown);
            return Task.FromResult(ExitCode.Ok);
        });
        return command;
    }
}
