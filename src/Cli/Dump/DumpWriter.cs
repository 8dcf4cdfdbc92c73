using System.Globalization;
using Varve.Cli.Text;
using Varve.Contract;
using Varve.Format;

namespace Varve.Cli.Dump;

/// <summary>Writes the lines of a dump, each an offset and its content, up to the user's limit.</summary>
internal sealed class DumpWriter(string path, TextWriter output, long linesMax) : IDisposable
{
    private const int KeyBytesShown = 120;

    private long _lines;

    /// <summary>The dumped file.</summary>
    public string Path => path;

    /// <summary>True once the limit is reached.</summary>
    public bool IsFull => _lines >= linesMax;

    /// <summary>Writes a line for the structure at an offset.</summary>
    public void Line(long offset, string text)
    {
        if (_lines++ < linesMax) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{offset,12}  {text}"));
    }

    /// <summary>Writes a line for a part of the structure of the line before.</summary>
    public void Part(long offset, string text) => Line(offset, "  " + text);

    /// <summary>Makes the error for bytes after which the dump cannot continue.</summary>
    public VarveException Corrupt(string kind, long start, DecodeError error) =>
        DecodeFailure.Of(path, start, kind, error);

    public static string Key(ReadOnlySpan<byte> key) => "'" + KeyText.Escape(key, KeyBytesShown) + "'";

    public void Dispose() => output.Flush();
}
