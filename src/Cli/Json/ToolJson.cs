using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Varve.Cli.Json;

/// <summary>
/// The source-generated serializer of all output and input in JSON: names in snake_case, absent values left out.
/// Programs read the output, not browsers, so letters are not escaped for HTML.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AppliedReport))]
[JsonSerializable(typeof(ApplySummary))]
[JsonSerializable(typeof(BenchResult))]
[JsonSerializable(typeof(ChangeLine))]
[JsonSerializable(typeof(CompactReport))]
[JsonSerializable(typeof(EntryLine))]
[JsonSerializable(typeof(ExportSummary))]
[JsonSerializable(typeof(ImportSummary))]
[JsonSerializable(typeof(RepairDocument))]
[JsonSerializable(typeof(ReportChart[]))]
[JsonSerializable(typeof(SnapshotLine))]
[JsonSerializable(typeof(SizeDocument))]
[JsonSerializable(typeof(StatLine))]
[JsonSerializable(typeof(StatReport))]
[JsonSerializable(typeof(VerifyDocument))]
internal sealed partial class ToolJson : JsonSerializerContext
{
    /// <summary>Writes one line an object.</summary>
    public static ToolJson Lines { get; } = new(CreateOptions(isIndented: false));

    /// <summary>Writes an object on several lines.</summary>
    public static ToolJson Documents { get; } = new(CreateOptions(isIndented: true));

    /// <summary>The generated description of a type that the context lists.</summary>
    public static JsonTypeInfo<T> TypeOf<T>(ToolJson context) => (JsonTypeInfo<T>)context.GetTypeInfo(typeof(T))!;

    private static JsonSerializerOptions CreateOptions(bool isIndented) => new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = isIndented,
    };
}
