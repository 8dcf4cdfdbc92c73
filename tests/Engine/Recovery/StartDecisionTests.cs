using Varve.Recovery;
using Varve.Wal;
using Xunit;

namespace Varve.Tests.Engine.Recovery;

/// <summary>The table by which an open for writing continues the log, cell by cell.</summary>
public class StartDecisionTests
{
    public static TheoryData<string, Durability, bool, string> Cells => new()
    {
        { nameof(RecoveredEnd.NoLog), Durability.Process, false, nameof(StartSync.Nothing) },
        { nameof(RecoveredEnd.NoLog), Durability.Interval, false, nameof(StartSync.Nothing) },
        { nameof(RecoveredEnd.NoLog), Durability.Power, false, nameof(StartSync.Nothing) },
        { nameof(RecoveredEnd.Sealed), Durability.Process, false, nameof(StartSync.WholeLog) },
        { nameof(RecoveredEnd.Sealed), Durability.Interval, false, nameof(StartSync.WholeLog) },
        { nameof(RecoveredEnd.Sealed), Durability.Power, false, nameof(StartSync.WholeLog) },
        { nameof(RecoveredEnd.TornTail), Durability.Process, false, nameof(StartSync.WholeLog) },
        { nameof(RecoveredEnd.TornTail), Durability.Interval, false, nameof(StartSync.WholeLog) },
        { nameof(RecoveredEnd.TornTail), Durability.Power, false, nameof(StartSync.WholeLog) },
        { nameof(RecoveredEnd.Clean), Durability.Process, true, nameof(StartSync.Nothing) },
        { nameof(RecoveredEnd.Clean), Durability.Interval, true, nameof(StartSync.Nothing) },
        { nameof(RecoveredEnd.Clean), Durability.Power, true, nameof(StartSync.Unsynced) },
    };

    [Theory]
    [MemberData(nameof(Cells))]
    public void EachCellIsAsWritten(string end, Durability durability, bool appendsToLast, string sync) =>
        Assert.Equal(
            new StartDecision(appendsToLast, Enum.Parse<StartSync>(sync)),
            StartDecision.For(Enum.Parse<RecoveredEnd>(end), durability));

    [Fact]
    public void TableHasCellForEachEndAndDurability() =>
        Assert.Equal(
            (from end in Enum.GetNames<RecoveredEnd>()
             from durability in Enum.GetValues<Durability>()
             select (end, durability)).Order(),
            Cells.Select(cell => ((string)cell[0], (Durability)cell[1])).Order());

    [Fact]
    public void EndOutsideTableIsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => StartDecision.For((RecoveredEnd)4, Durability.Power));

    [Theory]
    [InlineData(nameof(LogEnding.CleanEnd), false, nameof(RecoveredEnd.Clean))]
    [InlineData(nameof(LogEnding.CleanEnd), true, nameof(RecoveredEnd.Sealed))]
    [InlineData(nameof(LogEnding.TornTail), false, nameof(RecoveredEnd.TornTail))]
    [InlineData(nameof(LogEnding.TornTail), true, nameof(RecoveredEnd.Sealed))]
    public void EndIsThatOfRecoveredLog(string ending, bool isSealed, string end) =>
        Assert.Equal(
            Enum.Parse<RecoveredEnd>(end),
            StartDecision.EndOf(new RecoveredLog([], [], Enum.Parse<LogEnding>(ending), isSealed, 0, default)));

    [Fact]
    public void MissingLogHasNoEnd() => Assert.Equal(RecoveredEnd.NoLog, StartDecision.EndOf(null));
}
