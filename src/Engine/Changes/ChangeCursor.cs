using Varve.Wal;

namespace Varve.Changes;

/// <summary>A place between two changes of the log.</summary>
/// <param name="Line">The line of the state (<see cref="Varve.Versions.StateGeneration.Line"/>).</param>
/// <param name="At">A record, or the end of the records that were read.</param>
/// <param name="Skip">The number of the record's changes that are before the place.</param>
/// <param name="Reached">The index of the last record that was read.</param>
internal record struct ChangeCursor(int Line, LogOffset At, int Skip, ulong Reached)
{
    /// <summary>True if the place is before another of the same line.</summary>
    public readonly bool IsBefore(in ChangeCursor other) =>
        At.CompareTo(other.At) is var order && (order < 0 || (order == 0 && Skip < other.Skip));
}
