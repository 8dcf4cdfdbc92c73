using System.Text;
using System.Text.Json.Serialization;

namespace Varve.Cli.Json;

/// <summary>
/// A key and its value: as text if they are UTF-8, otherwise as Base64 under another name.
/// </summary>
internal sealed record EntryLine
{
    public string? Key { get; init; }

    public byte[]? KeyBase64 { get; init; }

    public string? Value { get; init; }

    public byte[]? ValueBase64 { get; init; }

    /// <summary>The applied index of the state that the line is from.</summary>
    public ulong? Revision { get; init; }

    /// <summary>The deadline of the key's lease, in Unix milliseconds.</summary>
    public ulong? ExpiresMs { get; init; }

    /// <summary>The key's bytes; null if the line gives none, or two.</summary>
    [JsonIgnore]
    public byte[]? KeyBytes => BytesOf(Key, KeyBase64);

    /// <summary>The value's bytes; null if the line gives none, or two.</summary>
    [JsonIgnore]
    public byte[]? ValueBytes => BytesOf(Value, ValueBase64);

    public static EntryLine Of(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong? revision = null, ulong? expiresMs = null)
    {
        var (keyText, valueText) = (TextOf(key), TextOf(value));
        return new EntryLine
        {
            Key = keyText,
            KeyBase64 = keyText is null ? key.ToArray() : null,
            Value = valueText,
            ValueBase64 = valueText is null ? value.ToArray() : null,
            Revision = revision,
            ExpiresMs = expiresMs,
        };
    }

    private static byte[]? BytesOf(string? text, byte[]? base64) =>
        (text, base64) switch
        {
            (not null, null) => Encoding.UTF8.GetBytes(text),
            (null, not null) => base64,
            _ => null,
        };

    private static string? TextOf(ReadOnlySpan<byte> bytes)
    {
        if (!System.Text.Unicode.Utf8.IsValid(bytes)) return null;
        return Encoding.UTF8.GetString(bytes);
    }
}
