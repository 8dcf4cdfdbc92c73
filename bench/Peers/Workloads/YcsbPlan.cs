namespace Varve.Bench.Peers;

internal enum YcsbOperation : byte
{
    Read,
    Write,
    Scan,
    ReadModifyWrite,
}

/// <summary>The shares of one of YCSB's workloads, in percent; the rest is reads.</summary>
internal sealed record YcsbMix(string Name, string Title)
{
    public int Updates { get; init; }

    public int Inserts { get; init; }

    public int Scans { get; init; }

    public int ReadModifyWrites { get; init; }

    /// <summary>Reads favour what was inserted last.</summary>
    public bool Latest { get; init; }

    /// <summary>In the order of YCSB's own run: the inserts of D and E come last.</summary>
    public static IReadOnlyList<YcsbMix> All { get; } =
    [
        new("a", "A: 50% read, 50% update") { Updates = 50 },
        new("b", "B: 95% read, 5% update") { Updates = 5 },
        new("c", "C: read only"),
        new("f", "F: 50% read, 50% read-modify-write") { ReadModifyWrites = 50 },
        new("d", "D: 95% read latest, 5% insert") { Inserts = 5, Latest = true },
        new("e", "E: 95% scan of 1-100, 5% insert") { Inserts = 5, Scans = 95 },
    ];
}

/// <summary>The operations of one workload, drawn beforehand: what is timed is the engine.</summary>
internal sealed class YcsbPlan : IEntries
{
    private const int ScanMax = 100;

    private readonly EntrySource _source;
    private readonly long _firstPosition;
    private readonly List<long> _writes = [];

    /// <param name="mix">The workload.</param>
    /// <param name="source">What was loaded.</param>
    /// <param name="records">How many records there are by now; inserts follow.</param>
    /// <param name="firstPosition">Where the log goes on.</param>
    /// <param name="count">Operations.</param>
    /// <param name="zipfian">Over the records loaded.</param>
    public YcsbPlan(YcsbMix mix, EntrySource source, long records, long firstPosition, int count, Zipfian zipfian)
    {
        (_source, _firstPosition) = (source, firstPosition);
        Operations = new YcsbOperation[count];
        ScanLengths = new byte[count];
        var numbers = new long[count];
        var stream = (ulong)mix.Name[0] << 40;
        for (var i = 0; i < count; i++)
        {
            var draw = EntrySource.Pick(stream + (ulong)i + (1UL << 39), 100);
            var position = stream + (ulong)i;
            numbers[i] = mix.Latest ? records - 1 - zipfian.Rank(position) : zipfian.Scrambled(position);
            if (draw < mix.Updates + mix.Inserts)
            {
                if (draw < mix.Inserts) numbers[i] = records++;
                Operations[i] = YcsbOperation.Write;
                _writes.Add(numbers[i]);
            }
            else if (draw < mix.Updates + mix.Inserts + mix.Scans)
            {
                Operations[i] = YcsbOperation.Scan;
                ScanLengths[i] = (byte)(1 + EntrySource.Pick(position + (1UL << 38), ScanMax));
            }
            else if (draw < mix.Updates + mix.Inserts + mix.Scans + mix.ReadModifyWrites)
            {
                Operations[i] = YcsbOperation.ReadModifyWrite;
                _writes.Add(numbers[i]);
            }
        }

        Records = records;
        Keys = ReadKeys.Of(source.Keys, numbers);
    }

    public YcsbOperation[] Operations { get; }

    public byte[] ScanLengths { get; }

    /// <summary>The key of each operation; those of writes are in the prepared chunks too.</summary>
    public ReadKeys Keys { get; }

    public int Writes => _writes.Count;

    /// <summary>Records after the workload.</summary>
    public long Records { get; }

    public int KeyBytesMax => _source.KeyBytesMax;

    public int ValueBytes => _source.ValueBytes;

    public int WriteKey(long position, Span<byte> key) =>
        _source.WriteKey(_writes[(int)(position - _firstPosition)], key);

    public void WriteValue(long position, Span<byte> value) => EntrySource.FillValue((ulong)position, value);
}
