using System.Buffers;
using System.CommandLine;
using Varve.Cli.Data;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve get KEY</c>: the raw value on standard output, or "not found" and exit code 6.</summary>
internal static class GetCommand
{
    public static Command Create()
    {
        var key = new Argument<string>("KEY")
        {
            Description = "The key: UTF-8 text, or hex: and pairs of hexadecimal digits."
        };
        var command = new Command("get", "Writes the bytes of a key's value to standard output.") { key };
        var database = new DatabaseOptions(command);
        command.SetAction(parsed =>
        {
            var bytes = KeyText.ParseKey(parsed.GetRequiredValue(key));
            using var engine = database.OpenReadOnly(parsed);
            var value = new ArrayBufferWriter<byte>();
            if (!engine.TryGet(bytes, value))
            {
                Console.Error.WriteLine("varve: not found");
                return ExitCode.NotFound;
            }

            using var output = Console.OpenStandardOutput();
            output.Write(value.WrittenSpan);
            return ExitCode.Ok;
        });
        return command;
    }
}
