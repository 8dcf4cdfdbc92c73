using Varve.Cli.Data;
using Varve.Format;

namespace Varve.Cli.Dump;

/// <summary>Dumps a manifest log: one line for each version edit, one for each table in it.</summary>
internal static class ManifestDump
{
    public static void Write(ReadOnlySpan<byte> file, DumpWriter writer)
    {
        var edits = new ManifestEdits(file, writer.Path);
        writer.Line(0, $"manifest of database {edits.DatabaseId}, salt {edits.Salt:x16}");

        while (!writer.IsFull)
        {
            switch (edits.Read())
            {
                case ManifestReadResult.Record:
                    WriteEdit(edits.Current, edits.Offset, edits.End - edits.Offset, writer);
                    break;
                case ManifestReadResult.End:
                    writer.Line(edits.Offset, "end");
                    return;
                default:
                    writer.Line(edits.Offset, $"end: no valid record; {file.Length - edits.Offset} bytes follow");
                    return;
            }
        }
    }

    private static void WriteEdit(VersionEdit edit, long offset, long size, DumpWriter writer)
    {
        writer.Line(
            offset,
            $"edit, {size} bytes{(edit.Replace ? ", replaces everything" : "")}, next file "
            + $"{edit.NextFileNumber}, first segment {edit.FirstSegment}, "
            + $"{edit.Removed.Length} removed, {edit.Added.Length} added");
        if (edit.State is { } state) writer.Part(offset, StateText.Describe(state));
        if (edit.Removed.Length > 0) writer.Part(offset, "removed " + string.Join(", ", edit.Removed));
        foreach (var added in edit.Added) writer.Part(offset, "added " + StateText.Describe(added));
    }
}
