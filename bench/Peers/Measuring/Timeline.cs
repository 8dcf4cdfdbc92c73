using System.Diagnostics;

namespace Varve.Bench.Peers;

/// <summary>
/// A fill over time, in slices of a tenth of a second: entries, the longest chunk that ended in it, the bytes that the
/// process wrote, background work included, and its anonymous memory.
/// </summary>
internal sealed class Timeline
{
    public const int SlicesPerSecond = 10;
    public const double StallMicroseconds = 5_000;
    private const int SlicesMax = 3_600 * SlicesPerSecond;

    private static readonly double TicksPerMicrosecond = Stopwatch.Frequency / 1e6;
    private static readonly long TicksPerSlice = Stopwatch.Frequency / SlicesPerSecond;

    private readonly double[] _entries = new double[SlicesMax];
    private readonly double[] _longest = new double[SlicesMax];
    private readonly double[] _anonymous = new double[SlicesMax];
    private readonly double[] _written = new double[SlicesMax];
    private long _writtenBefore;
    private long _start;
    private int _last = -1;
    private long _stalls;
    private double _stalled;

    public void Begin()
    {
        _writtenBefore = ProcessFigures.WrittenBytes;
        _start = Stopwatch.GetTimestamp();
    }

    public void Add(long startTimestamp, long endTimestamp, int entries)
    {
        var slice = (int)Math.Min((endTimestamp - _start) / TicksPerSlice, SlicesMax - 1);
        if (slice > _last) Sample(slice);
        var microseconds = (endTimestamp - startTimestamp) / TicksPerMicrosecond;
        _entries[slice] += entries;
        _longest[slice] = Math.Max(_longest[slice], microseconds);
        if (microseconds <= StallMicroseconds) return;
        _stalls++;
        _stalled += microseconds;
    }

    public void AddTo(Measurement measurement)
    {
        if (_last < 0) return;
        _written[_last] = WrittenSinceMebibytes();
        var slices = _last + 1;
        measurement.Series["entries_per_slice"] = _entries[..slices];
        measurement.Series["longest_chunk_us"] = [.. _longest[..slices].Select(v => Math.Round(v, 1))];
        measurement.Series["anonymous_mib"] = [.. _anonymous[..slices].Select(v => Math.Round(v, 1))];
        measurement.Series["written_mib"] = [.. _written[..slices].Select(v => Math.Round(v, 1))];
        measurement.Extra["chunks_over_5_ms"] = _stalls;
        measurement.Extra["chunks_over_5_ms_total_ms"] = _stalled / 1e3;
        measurement.Extra["anonymous_peak_mib"] = _anonymous[..slices].Max();
    }

    /// <summary>
    /// The first chunk that ends in a new slice closes those before it: they share what was written since, as a long
    /// chunk ends several at once.
    /// </summary>
    private void Sample(int slice)
    {
        var ended = Math.Max(_last, 0);
        var written = WrittenSinceMebibytes();
        for (var i = ended; i < slice; i++) _written[i] = written / (slice - ended);
        Array.Fill(_anonymous, ProcessFigures.AnonymousBytes / (double)(1 << 20), _last + 1, slice - _last);
        _last = slice;
    }

    private double WrittenSinceMebibytes()
    {
        var written = ProcessFigures.WrittenBytes;
        var since = written - _writtenBefore;
        _writtenBefore = written;
        return since / (double)(1 << 20);
    }
}
