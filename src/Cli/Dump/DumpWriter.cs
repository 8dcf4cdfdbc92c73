using System.Globalization;
using Varve.Cli.Text;
using Varve.Contract;
using Varve.Format;

namespace Varve.Cli.Dump;

/// <summary>The lines of a dump: an offset and what stands there. Counts lines against the user's limit.</summary>
internal sealed class DumpWriter(string path, TextWriter output, long linesMax) : IDisposable
{
    private const int KeyBytesShown = 120;

    private long _lines;

    /// <summary>True once the user has seen as many lines as asked for.</summary>
    public bool IsFull => _lines >= linesMax;

    /// <summary>Writes a line about the bytes at an offset.</summary>
    public void Line(long offset, string text)
    {
        if (_lines++ < linesMax) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{offset,12}  {text}"));
    }

    /// <summary>Writes a line about a part of what the line before is about.</summary>
    public void Part(long offset, string text) => Line(offset, "  " + text);

    /// <summary>The error of bytes that cannot be read on.</summary>
    public VarveException Corrupt(string kind, long start, DecodeError error) =>
        DecodeFailure.Of(path, start, kind, error);

    public static string Key(ReadOnlySpan<byte> key) => "'" + KeyText.Escape(key, KeyBytesShown) + "'";

    public void Dispose() => output.Flush();
}
