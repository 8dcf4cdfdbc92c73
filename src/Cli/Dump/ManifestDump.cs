using Varve.Contract;
using Varve.Format;

namespace Varve.Cli.Dump;

/// <summary>Dumps a manifest log: one line for each version edit, one for each table in it.</summary>
internal static class ManifestDump
{
    public static void Write(ReadOnlySpan<byte> file, DumpWriter writer)
    {
        if (!ManifestLog.TryDecodeHeader(file, out var databaseId, out var salt, out var error))
            throw writer.Corrupt(CorruptionKind.ManifestHeader, 0, error);
        writer.Line(0, $"manifest of database {databaseId}, salt {salt:x16}");

        long offset = ManifestLog.HeaderSize;
        while (!writer.IsFull)
        {
            switch (ManifestLog.TryReadRecord(file, offset, salt, out var payload, out var next))
            {
                case ManifestReadResult.End:
                    writer.Line(offset, "end");
                    return;
                case ManifestReadResult.Invalid:
                    writer.Line(offset, $"end: no valid record; {file.Length - offset} bytes follow");
                    return;
            }

            if (!VersionEditCodec.TryDecode(payload, out var edit, out error))
                throw writer.Corrupt(CorruptionKind.VersionEdit, offset + ManifestLog.RecordHeaderSize, error);
            WriteEdit(edit, offset, next - offset, writer);
            offset = next;
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
