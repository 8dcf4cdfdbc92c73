using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary>
/// <c>varve delete KEY</c>: applies one delete as the next entry of the log; nothing, with exit code 6, if the key is
/// absent.
/// </summary>
internal static class DeleteCommand
{
    public static Command Create()
    {
        var key = SingleEntry.KeyArgument();
        var command = new Command("delete", "Removes a key, as the next entry of the log.") { key };
        var entry = new SingleEntry(command);
        command.SetAction(parsed =>
        {
            var bytes = KeyText.ParseKey(parsed.GetRequiredValue(key));
            using var engine = entry.Open(parsed);
            if (engine.Read(bytes, []) < 0)
            {
                Console.Error.WriteLine("varve: not found");
                return ExitCode.NotFound;
            }

            entry.Confirm(parsed, engine, $"delete '{KeyText.Escape(bytes)}'");
            return entry.Apply(parsed, engine, Varve.Command.Delete(bytes));
        });
        return command;
    }
}
