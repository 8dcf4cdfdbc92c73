using System.CommandLine;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve put KEY VALUE</c>: applies one insert as the next entry of the log.</summary>
internal static class PutCommand
{
    public static Command Create()
    {
        var key = SingleEntry.KeyArgument();
        var value = new Argument<string?>("VALUE")
        {
            Description = "The value: UTF-8 text, hex: and pairs of hexadecimal digits, or - for standard input.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var file = new Option<string?>("--file", "-f")
        {
            Description = "Take the bytes of a file as the value.",
            HelpName = "FILE",
        };
        var ttl = new Option<ulong>("--ttl")
        {
            Description = "Seconds until the key expires; it does not expire if not given.",
            HelpName = "SECONDS",
        };
        var command = new Command("put", "Sets a key, as the next entry of the log.") { key, value, file, ttl };
        var entry = new SingleEntry(command);
        command.SetAction(parsed =>
        {
            var bytes = KeyText.ParseKey(parsed.GetRequiredValue(key));
            var isPiped = parsed.GetValue(value) == "-";
            if (isPiped && !entry.IsConfirmed(parsed))
                throw new UsageException("a value from standard input leaves none for the question: pass --yes");
            var content = ReadValue(parsed.GetValue(value), parsed.GetValue(file));
            using var engine = entry.Open(parsed);
            entry.Confirm(parsed, engine, $"set '{KeyText.Escape(bytes)}' to {SizeText.Count(content.Length)} bytes");
            return entry.Apply(parsed, engine, Varve.Command.Insert(bytes, content, parsed.GetValue(ttl)));
        });
        return command;
    }

    private static byte[] ReadValue(string? value, string? file)
    {
        if (value is null == file is null) throw new UsageException("give either VALUE or --file");
        if (file is not null) return File.ReadAllBytes(file);
        if (value != "-") return KeyText.Parse(value!);
        using var input = Console.OpenStandardInput();
        using var bytes = new MemoryStream();
        input.CopyTo(bytes);
        return bytes.ToArray();
    }
}
