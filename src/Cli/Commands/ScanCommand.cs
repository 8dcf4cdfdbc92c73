using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Varve.Cli.Data;
using Varve.Cli.Text;

namespace Varve.Cli.Commands;

using Command = System.CommandLine.Command;

/// <summary><c>varve scan [PREFIX]</c>: live entries in key order, one a line.</summary>
internal static class ScanCommand
{
    private const int ValueBytesShown = 100;

    private static readonly UTF8Encoding StrictUtf8 = new(
        encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    // The output is for programs, not for a page of HTML: no need to escape its letters.
    private static readonly JsonWriterOptions JsonLine =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var prefix = new Argument<string>("PREFIX")
        {
            Description = "Only keys that start with this: UTF-8 text, or hex: and hexadecimal digits.",
            DefaultValueFactory = _ => "",
        };
        var limit = new Option<long>("--limit", "-n")
        {
            Description = "Stop after this many entries.",
            HelpName = "N",
            DefaultValueFactory = _ => long.MaxValue
        };
        var reverse = new Option<bool>("--reverse", "-r") { Description = "Last key first." };
        var json = new Option<bool>("--json")
        {
            Description = "One JSON object a line, values whole; what is not UTF-8 comes in Base64."
        };
        var command = new Command(
            "scan", "Lists live entries in key order, all of one revision.") { prefix, limit, reverse, json };
        var database = new DatabaseOptions(command);
        command.SetAction(parsed =>
        {
            var bytes = KeyText.Parse(parsed.GetValue(prefix) ?? "");
            var entriesMax = parsed.GetValue(limit);
            if (entriesMax < 0) throw new UsageException("--limit must not be negative");
            using var engine = database.OpenReadOnly(parsed);
            using var output = new BufferedStream(Console.OpenStandardOutput(), 64 << 10);
            Scan(engine, bytes, entriesMax, parsed.GetValue(reverse), parsed.GetValue(json), output);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Scan(
        LsmStateMachine engine, byte[] prefix, long entriesMax, bool reverse, bool json, Stream output)
    {
        using var view = engine.OpenView();
        var entries = view.ScanPrefix(prefix);
        if (reverse) entries = entries.Reversed();
        var left = entriesMax;
        foreach (var entry in entries)
        {
            if (left-- == 0) break;
            if (json) WriteJson(output, view.Revision, entry);
            else
                output.Write(Encoding.UTF8.GetBytes(
                    $"{KeyText.Escape(entry.Key)}\t{KeyText.Escape(entry.Value, ValueBytesShown)}\n"));
        }
    }

    private static void WriteJson(Stream output, ulong revision, EntryView entry)
    {
        using (var writer = new Utf8JsonWriter(output, JsonLine))
        {
            writer.WriteStartObject();
            WriteBytes(writer, "key", entry.Key);
            WriteBytes(writer, "value", entry.Value);
            writer.WriteNumber("revision", revision);
            writer.WriteEndObject();
        }

        output.WriteByte((byte)'\n');
    }

    private static void WriteBytes(Utf8JsonWriter writer, string name, ReadOnlySpan<byte> bytes)
    {
        string? text;
        try
        {
            text = StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            text = null;
        }

        if (text is not null) writer.WriteString(name, text);
        else writer.WriteBase64String(name + "_base64", bytes);
    }
}
