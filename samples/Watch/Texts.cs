using System.Text;

namespace Varve.Samples.Watch;

/// <summary>Keys and values as text.</summary>
internal static class Texts
{
    public static byte[] ToUtf8(this string text) => Encoding.UTF8.GetBytes(text);

    public static string ToText(this ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
