using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Varve.Diagnostics;

/// <summary>
/// The instruments that all engines of the process share: one meter, one source of spans. Names are dotted lower case,
/// units are UCUM's, and no name has a unit in it. docs/guides/metrics.md lists them, and a test holds that list to
/// this one. Any thread.
/// </summary>
internal static class Instruments
{
    /// <summary>The name of the meter and of the source of spans.</summary>
    public const string Name = "Varve";

    /// <summary>The tag with the database's name, which every measurement and every span has.</summary>
    public const string DatabaseTag = "varve.database";

    private const string ErrorTag = "error.type";

    /// <summary>Bounds in seconds, from a sync of a fast device to a compaction of minutes.</summary>
    private static readonly InstrumentAdvice<double> Bounds = new()
    {
        HistogramBucketBoundaries =
        [
            0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
            300,
        ],
    };

    private static readonly string? Version = typeof(Instruments).Assembly.GetName().Version?.ToString(3);
    private static readonly Meter Meter = new(Name, Version);

    private static readonly Histogram<double>[] Durations =
    [
        Duration("varve.flush.duration", "Duration of flushes"),
        Duration("varve.compaction.duration", "Duration of compactions, the work nested in them included"),
        Duration("varve.sync.duration", "Duration of syncs of the log"),
        Duration("varve.snapshot.duration", "Duration of making a snapshot"),
        Duration("varve.install.duration", "Duration of installing a snapshot"),
        Duration("varve.recovery.duration", "Duration of recovering a database at its open"),
    ];

    private static readonly string[] SpanNames =
        ["varve.flush", "varve.compaction", "varve.sync", "varve.snapshot", "varve.install", "varve.recovery"];

    static Instruments() => Observed.CreateOn(Meter);

    /// <summary>The source of spans.</summary>
    public static ActivitySource Spans { get; } = new(Name, Version);

    /// <summary>The histogram of a kind of work, in seconds.</summary>
    public static Histogram<double> DurationOf(Work work) => Durations[(int)work];

    /// <summary>
    /// Passes ended work to the listeners. An exception of theirs is dropped: an engine must not stop because a
    /// listener does. The caller holds no lock.
    /// </summary>
    public static void Report(in EndedWork ended, in KeyValuePair<string, object?> database)
    {
        try
        {
            Record(ended, database);
        }
#pragma warning disable CA1031 // The user's code may throw anything.
        catch (Exception)
#pragma warning restore CA1031
        {
        }

        if (ended.Span is null) return;
        var current = Activity.Current;
        try
        {
            Activity.Current = null; // of this thread: it has nothing to do with the work
            Show(ended, ended.Span, database);
        }
#pragma warning disable CA1031 // As above.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
        finally
        {
            Activity.Current = current;
        }
    }

    private static void Record(in EndedWork ended, in KeyValuePair<string, object?> database)
    {
        var seconds = ended.Duration.TotalSeconds;
        if (ended.Error is null) DurationOf(ended.Work).Record(seconds, database);
        else DurationOf(ended.Work).Record(seconds, database, new(ErrorTag, ended.Error));
    }

    private static void Show(in EndedWork ended, WorkSpan span, in KeyValuePair<string, object?> database)
    {
        using var activity = Spans.CreateActivity(
            SpanNames[(int)ended.Work], ActivityKind.Internal, span.Parent, Tags(ended, span.Facts, database));
        if (activity is null) return;
        activity.SetStartTime((span.End - ended.Duration).UtcDateTime).Start();
        if (ended.Error is not null) activity.SetStatus(ActivityStatusCode.Error, span.Message);
        activity.SetEndTime(span.End.UtcDateTime);
    }

    /// <summary>All at the creation: a sampler decides by them.</summary>
    private static TagList Tags(in EndedWork ended, WorkFacts facts, in KeyValuePair<string, object?> database)
    {
        var tags = new TagList { database };
        if (facts.Bytes is { } bytes) tags.Add("varve.bytes", bytes);
        if (facts.Rows is { } rows) tags.Add("varve.rows", rows);
        if (facts.Index is { } index) tags.Add("varve.index", (long)index);
        if (facts.Level is { } level) tags.Add("varve.level", level);
        if (facts.Reason is { } reason) tags.Add("varve.reason", reason);
        if (ended.Error is { } error) tags.Add(ErrorTag, error);
        return tags;
    }

    private static Histogram<double> Duration(string name, string description) =>
        Meter.CreateHistogram(name, "s", description, tags: null, Bounds);
}
