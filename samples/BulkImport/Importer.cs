using System.Buffers;
using System.Text;

namespace Varve.Samples.BulkImport;

/// <summary>
/// Imports lines of a key, a tab and a value. The number of a line is the index of its entry, so an import that was
/// interrupted continues behind the last applied line, and no line is applied twice.
/// </summary>
internal sealed class Importer(LsmStateMachine engine)
{
    private const int ChunkEntries = 1000;

    private readonly ArrayBufferWriter<byte> _encoded = new(1 << 20);
    private readonly ApplyResult[] _results = new ApplyResult[ChunkEntries];

    /// <summary>Imports the lines that are not applied yet, until the end or up to a line.</summary>
    /// <exception cref="FormatException">A line has no tab or a key beyond the limits; lines of earlier chunks are
    /// applied.</exception>
    public void Import(TextReader lines, ulong lastLine = ulong.MaxValue)
    {
        var applied = engine.LastApplied.Index;
        var chunk = new ChunkWriter(_encoded);
        ulong line = 0;
        while (line < lastLine && lines.ReadLine() is { } text)
        {
            if (++line <= applied) continue;
            chunk.Add(new ApplyEntry(line, Term: 1, Parse(text, line)));
            if (chunk.Count < ChunkEntries) continue;
            Apply();
            chunk = new ChunkWriter(_encoded);
        }

        if (chunk.Count > 0) Apply();
    }

    private void Apply()
    {
        engine.ApplyChunk(_encoded.WrittenSpan, _results);
        _encoded.ResetWrittenCount();
    }

    private static Command Parse(string text, ulong line)
    {
        var tab = text.IndexOf('\t', StringComparison.Ordinal);
        if (tab < 0) throw new FormatException($"line {line} has no tab");
        var command = Command.Insert(Encoding.UTF8.GetBytes(text[..tab]), Encoding.UTF8.GetBytes(text[(tab + 1)..]));
        return command.TryValidate(out var problem) ? command : throw new FormatException($"line {line}: {problem}");
    }
}
