using System.Text;
using System.Text.Json;
using Varve.Cli.Json;
using Varve.Cli.Text;

namespace Varve.Cli.Data;

/// <summary>Reads exported entries, one JSON object a line. Blank lines are skipped. One thread.</summary>
internal sealed class JsonLines(Stream input, string name) : IDisposable
{
    private readonly StreamReader _reader =
        new(input, new UTF8Encoding(false, throwOnInvalidBytes: true), false, 256 << 10);

    private EntryLine? _peeked;

    /// <summary>Name of the input in errors.</summary>
    public string Name => name;

    /// <summary>Number of the current line, from 1 on.</summary>
    public long Line { get; private set; }

    /// <summary>Number of the entries read, from 1 on.</summary>
    public long Entries { get; private set; }

    /// <summary>Share of the file that has been read, 0 to 1; null if its size is unknown.</summary>
    public double? Progress => input.CanSeek && input.Length > 0 ? (double)input.Position / input.Length : null;

    public static JsonLines Open(string path) => path == "-"
        ? new JsonLines(Console.OpenStandardInput(), "standard input")
        : new JsonLines(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read), path);

    /// <summary>Reads the next entry without consuming it; null at the end.</summary>
    public EntryLine? Peek() => _peeked ??= ReadNext();

    /// <summary>Reads the next entry; null at the end.</summary>
    public EntryLine? Read()
    {
        var line = Peek();
        _peeked = null;
        if (line is not null) Entries++;
        return line;
    }

    private EntryLine? ReadNext()
    {
        while (ReadLine() is { } text)
        {
            Line++;
            if (string.IsNullOrWhiteSpace(text)) continue;
            return Parse(text);
        }

        return null;
    }

    /// <summary>Makes the error for the current line.</summary>
    public UsageException Malformed(string reason) => new($"{name}, line {Line}: {reason}");

    public void Dispose()
    {
        _reader.Dispose();
        input.Dispose();
    }

    private string? ReadLine()
    {
        try
        {
            return _reader.ReadLine();
        }
        catch (DecoderFallbackException)
        {
            throw new UsageException($"{name}, after line {Line}: not UTF-8");
        }
    }

    private EntryLine Parse(string text)
    {
        try
        {
            if (JsonSerializer.Deserialize(text, ToolJson.TypeOf<EntryLine>(ToolJson.Lines)) is { } line)
                return line.KeyBytes is { Length: >= 1 and <= 65_535 } && line.ValueBytes is not null
                    ? line
                    : throw Malformed(
                        "give one of key and key_base64, 1 to 65535 bytes, and one of value and value_base64");
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or FormatException)
        {
            // The message below says so.
        }

        throw Malformed("not a JSON object with a key and a value");
    }
}
