using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Varve.Tests.Engine.Diagnostics;

/// <summary>Listens to the instruments, and keeps the measurements of one database.</summary>
internal sealed class MetricsOf : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly string _database;

    /// <param name="database">The name of the database.</param>
    /// <param name="measured">Called at each of its measurements, or null.</param>
    public MetricsOf(string database, Action<string>? measured = null)
    {
        _database = database;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name != "Varve") return;
            Published[instrument.Name] = instrument;
            listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();

        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (var (key, text) in tags) all.Add(key, text!.ToString()!);
            if (!all.Remove("varve.database", out var name) || name != _database) return;
            measured?.Invoke(instrument.Name);
            var rest = string.Join(",", all.Select(tag => $"{tag.Key}={tag.Value}"));
            Measured.Enqueue(new(instrument.Name, rest, value));
        }
    }

    public ConcurrentDictionary<string, Instrument> Published { get; } = new();

    public ConcurrentQueue<(string Name, string Tags, double Value)> Measured { get; } = new();

    /// <summary>Reads the instruments that observe, anew.</summary>
    public Dictionary<(string Name, string Tags), double> Collect()
    {
        foreach (var engine in Varve.Diagnostics.OpenEngines.All) engine.Expire();
        Measured.Clear();
        _listener.RecordObservableInstruments();
        return Measured.Where(measured => !measured.Name.EndsWith(".duration", StringComparison.Ordinal))
            .ToDictionary(measured => (measured.Name, measured.Tags), measured => measured.Value);
    }

    /// <summary>Waits for measurements of a duration.</summary>
    public void AwaitDurations(string name, int count) =>
        Waiting.Until(() => Measured.Count(measured => measured.Name == name) >= count);

    public void Dispose() => _listener.Dispose();
}
