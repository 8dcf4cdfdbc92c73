using System.Globalization;
using System.Text;

namespace Varve.Cli.Text;

/// <summary>
/// Keys and values on the command line: UTF-8 text, or <c>hex:</c> and pairs of hexadecimal digits. Escapes printed
/// text, so one entry is one line and no control byte reaches the terminal: <c>\\</c>, <c>\n</c>, <c>\r</c>, <c>\t</c>,
/// and <c>\xNN</c> for other bytes than printable UTF-8.
/// </summary>
internal static class KeyText
{
    private const string HexPrefix = "hex:";

    public static byte[] Parse(string text)
    {
        if (!text.StartsWith(HexPrefix, StringComparison.Ordinal)) return Encoding.UTF8.GetBytes(text);
        try
        {
            return Convert.FromHexString(text.AsSpan(HexPrefix.Length));
        }
        catch (FormatException)
        {
            throw new UsageException($"'{text}': '{HexPrefix}' must be followed by pairs of hexadecimal digits");
        }
    }

    /// <summary>A key to look up: 1 to 65,535 bytes.</summary>
    public static byte[] ParseKey(string text)
    {
        var key = Parse(text);
        return key.Length is >= 1 and <= 65_535
            ? key
            : throw new UsageException($"a key has 1 to 65535 bytes, not {key.Length}");
    }

    public static string Escape(ReadOnlySpan<byte> bytes, int bytesMax = int.MaxValue)
    {
        var cut = bytes.Length > bytesMax;
        var rest = cut ? bytes[..bytesMax] : bytes;
        var text = new StringBuilder(rest.Length + 8);
        while (!rest.IsEmpty)
        {
            var valid =
                Rune.DecodeFromUtf8(rest, out var rune, out var consumed) == System.Buffers.OperationStatus.Done;
            if (valid && IsPrintable(rune)) text.Append(rune.ToString());
            else if (valid && Short(rune.Value) is { } escape) text.Append(escape);
            else foreach (var b in rest[..consumed]) text.Append(CultureInfo.InvariantCulture, $"\\x{b:x2}");
            rest = rest[consumed..];
        }

        if (cut) text.Append(CultureInfo.InvariantCulture, $"... ({bytes.Length} bytes)");
        return text.ToString();
    }

    private static string? Short(int scalar) => scalar switch
    {
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        _ => null,
    };

    private static bool IsPrintable(Rune rune) => rune.Value != '\\' && Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.PrivateUse
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate);
}
