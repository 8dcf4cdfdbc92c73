using Varve.Contract;
using Varve.Format;
using Varve.Wal;

namespace Varve.Versions;

/// <summary>The log position of a snapshot's cut.</summary>
internal static class CutPosition
{
    /// <summary>
    /// Finds the log position at an index of a version, and the mark of the outer log there: in its memtables, or at
    /// the end of its tables. Of several marks at the index the last one counts.
    /// </summary>
    public static LogPosition At(DbVersion version, ulong index, out LogMark mark)
    {
        var state = version.Base;
        var last = state.LastIndex;
        var position = new LogPosition(state.LastIndex, state.LastTerm, state.LogTimeMs, state.LocalTimeMs);
        mark = state.Mark;
        for (var i = version.Memtables.Length - 1; i >= 0; i--)
        {
            var memtable = version.Memtables[i];
            var records = memtable.Records();
            // A record behind the index may be half written: its checksum tells.
            while (last < index ? records.MoveNextVerified() : records.MoveNext())
            {
                ref readonly var record = ref records.Current;
                ref readonly var header = ref record.Header;
                if (header.LastIndex > index && header.FirstIndex > index) return position;
                last = header.LastIndex;
                if (header.Type == WalRecordType.Mark && !MarkMarker.TryRead(record.Payload, out mark, out var wrong))
                    throw DecodeFailure.Of(memtable.Segment.Path, record.Offset, CorruptionKind.Record, wrong);
                if (header.Type != WalRecordType.Chunk) continue;
                if (!record.TryOpenColumns(out var columns, out var error))
                    throw DecodeFailure.Of(memtable.Segment.Path, record.Offset, CorruptionKind.Record, error);
                // The mark moves with the last entry of its chunk.
                if (last <= index && columns.TryGetMark(out var moved)) mark = moved;
                while (columns.MoveNext() && columns.Index <= index)
                    position = new LogPosition(columns.Index, columns.Term, columns.LogTimeMs, header.LocalTimeMs);
                if (last > index) return position;
            }
        }

        return position;
    }
}
