using System.Text.Json;

namespace Varve.Cli.Json;

/// <summary>Writes values of the types that <see cref="ToolJson"/> lists.</summary>
internal static class JsonOutput
{
    /// <summary>Writes an object on several lines to standard output.</summary>
    public static void WriteDocument<T>(T value)
    {
        using var output = Console.OpenStandardOutput();
        Write(output, value, ToolJson.Documents);
    }

    /// <summary>Writes an object as one line.</summary>
    public static void WriteLine<T>(Stream output, T value) => Write(output, value, ToolJson.Lines);

    private static void Write<T>(Stream output, T value, ToolJson context)
    {
        JsonSerializer.Serialize(output, value, ToolJson.TypeOf<T>(context));
        output.WriteByte((byte)'\n');
    }
}
