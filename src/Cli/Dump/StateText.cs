using System.Globalization;
using Varve.Format;

namespace Varve.Cli.Dump;

/// <summary>Formats states and tables of manifests, each as one line.</summary>
internal static class StateText
{
    public static string Describe(MachineState state)
    {
        var snapshot = state.Snapshot is { } last ? $", snapshot at index {last.Index}, term {last.Term}" : "";
        var mark = state.Mark;
        var marked = mark.IsEmpty ? "" : $", mark {Convert.ToHexStringLower(mark.Bytes)}";
        return $"state at index {state.LastIndex}, term {state.LastTerm}: {state.LiveCount} live keys at "
            + $"{state.CountedTimeMs}, log time {state.LogTimeMs}, "
            + $"local time {state.LocalTimeMs}, {state.LeaseClock.ToString().ToLowerInvariant()} lease clock, "
            + $"{state.Terms.Length} term runs, outcomes of {state.Outcomes.Sum(run => (long)run.Count)} "
            + $"entries{snapshot}{marked}";
    }

    public static string Describe(AddedTable added)
    {
        var table = added.Table;
        return $"table {table.Number} to run {added.RunOrder}, {table.Length} bytes, {table.RowCount} rows ("
            + $"{table.TombstoneCount} tombstones, {table.LeaseCount} leases), "
            + $"{DumpWriter.Key(table.SmallestKey)}..{DumpWriter.Key(table.LargestKey)}, from {table.Origin} number "
            + $"{table.OriginNumber}, "
            + $"xxh128 {table.Hash.ToString("x32", CultureInfo.InvariantCulture)}";
    }
}
