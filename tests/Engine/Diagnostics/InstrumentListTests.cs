using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Xunit;

namespace Varve.Tests.Engine.Diagnostics;

/// <summary>Names, kinds and units of instruments are those that dashboards know, and the guide lists them.</summary>
public sealed partial class InstrumentListTests
{
    private static readonly string[] Golden =
    [
        "varve.changes.lag|gauge|{entry}",
        "varve.changes.readers|up-down counter|{reader}",
        "varve.chunks|counter|{chunk}",
        "varve.compaction.duration|histogram|s",
        "varve.compactions|counter|{compaction}",
        "varve.disk.free|gauge|By",
        "varve.disk.usage|up-down counter|By",
        "varve.entries|counter|{entry}",
        "varve.flush.duration|histogram|s",
        "varve.flushes|counter|{flush}",
        "varve.index.applied|gauge|{entry}",
        "varve.index.durable|gauge|{entry}",
        "varve.index.lag|gauge|{entry}",
        "varve.install.duration|histogram|s",
        "varve.io|counter|By",
        "varve.latched|gauge|1",
        "varve.leases|up-down counter|{lease}",
        "varve.level.rows|up-down counter|{row}",
        "varve.level.runs|up-down counter|{run}",
        "varve.level.size|up-down counter|By",
        "varve.memory.limit|up-down counter|By",
        "varve.memory.usage|up-down counter|By",
        "varve.memtables|up-down counter|{memtable}",
        "varve.operations|counter|{operation}",
        "varve.recovery.duration|histogram|s",
        "varve.snapshot.duration|histogram|s",
        "varve.stall.time|counter|s",
        "varve.stalls|counter|{stall}",
        "varve.sync.duration|histogram|s",
        "varve.syncs|counter|{sync}",
        "varve.view.age|gauge|s",
        "varve.view.pinned|gauge|By",
        "varve.views|up-down counter|{view}",
    ];

    [Fact]
    public void NamesKindsAndUnitsAreThoseThatDashboardsKnow()
    {
        using var database = new Recovery.Database();
        using var engine = database.Open();
        using var metrics = new MetricsOf("none");
        Assert.Equal(
            Golden,
            metrics.Published.Values
                .Select(instrument => $"{instrument.Name}|{KindOf(instrument)}|{instrument.Unit}")
                .Order(StringComparer.Ordinal));
        Assert.All(metrics.Published.Values, instrument =>
        {
            Assert.Matches("^varve(\\.[a-z]+)+$", instrument.Name);
            Assert.DoesNotMatch("second|bytes|count", instrument.Name);
            Assert.False(string.IsNullOrEmpty(instrument.Description));
        });
    }

    [Fact]
    public void GuideListsEveryInstrument() =>
        Assert.Equal(
            Golden,
            Row().Matches(Guide.Read("metrics.md"))
                .Select(row => $"{row.Groups["name"].Value}|{row.Groups["kind"].Value}|{row.Groups["unit"].Value}")
                .Order(StringComparer.Ordinal));

    private static string KindOf(Instrument instrument) => instrument.GetType().Name.Split('`')[0] switch
    {
        "ObservableCounter" => "counter",
        "ObservableUpDownCounter" => "up-down counter",
        "ObservableGauge" => "gauge",
        "Histogram" => "histogram",
        var other => other,
    };

    [GeneratedRegex(
        @"^\| `(?<name>varve\.[a-z.]+)` \| (?<kind>[a-z -]+) \| `(?<unit>[^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
