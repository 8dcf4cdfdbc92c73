using System.Globalization;

namespace Varve.Cli.Text;

/// <summary>
/// Sizes as text: parses <c>64MiB</c>, <c>1g</c>, <c>4096</c>, prints <c>1.5 MiB</c>. Units are powers of 1024.
/// </summary>
internal static class SizeText
{
    public static long Parse(string text)
    {
        var digits = text.AsSpan().TrimEnd("iIbB");
        var shift = 0;
        if (!digits.IsEmpty && char.IsAsciiLetter(digits[^1]))
        {
            shift = char.ToLowerInvariant(digits[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => -1 };
            digits = digits[..^1];
        }

        if (shift >= 0 && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number <= long.MaxValue >> shift)
            return number << shift;
        throw new UsageException($"'{text}' is not a size such as 65536, 512KiB or 64MiB");
    }

    public static string Format(long bytes) => bytes switch
    {
        < 1 << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:F1} KiB"),
        < 1 << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:F1} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:F2} GiB"),
    };

    /// <summary>Formats a count with thousands separators.</summary>
    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
