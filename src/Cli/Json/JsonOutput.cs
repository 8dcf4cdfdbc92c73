using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Varve.Cli.Json;

/// <summary>Writes values as JSON, each followed by a line feed.</summary>
internal static class JsonOutput
{
    /// <summary>Writes one value to standard output.</summary>
    public static void Write<T>(T value, JsonTypeInfo<T> type)
    {
        using var output = Console.OpenStandardOutput();
        Write(output, value, type);
    }

    /// <summary>Writes one value to a stream.</summary>
    public static void Write<T>(Stream output, T value, JsonTypeInfo<T> type)
    {
        JsonSerializer.Serialize(output, value, type);
        output.WriteByte((byte)'\n');
    }
}
