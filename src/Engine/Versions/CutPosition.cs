using Varve.Contract;
using Varve.Format;
using Varve.Wal;

namespace Varve.Versions;

/// <summary>The log position of a snapshot's cut.</summary>
internal static class CutPosition
{
    /// <summary>
    /// Finds the log position at an index of a version: in its memtables, or at the end of its tables.
    /// </summary>
    public static LogPosition At(DbVersion version, ulong index)
    {
        var state = version.Base;
        var last = state.LastIndex;
        var position = new LogPosition(state.LastIndex, state.LastTerm, state.LogTimeMs, state.LocalTimeMs);
        for (var i = version.Memtables.Length - 1; i >= 0 && last < index; i--)
        {
            var memtable = version.Memtables[i];
            var records = memtable.Records();
            while (last < index && records.MoveNextVerified())
            {
                ref readonly var record = ref records.Current;
                last = record.Header.LastIndex;
                if (record.Header.Type != WalRecordType.Chunk || record.Header.FirstIndex > index) continue;
                if (!record.TryOpenColumns(out var columns, out var error))
                    throw DecodeFailure.Of(memtable.Segment.Path, record.Offset, CorruptionKind.Record, error);
                while (columns.MoveNext() && columns.Index <= index)
                    position = new LogPosition(
                        columns.Index, columns.Term, columns.LogTimeMs, record.Header.LocalTimeMs);
            }
        }

        return position;
    }
}
