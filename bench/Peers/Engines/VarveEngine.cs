namespace Varve.Bench.Peers.Engines;

/// <summary>Varve through its public surface alone.</summary>
internal sealed class VarveEngine : IBenchEngine
{
    private LsmStateMachine? _machine;

    public string Name => "varve";

    public string OtherAccess => "probed";

    public IReadOnlyList<string> Notes =>
    [
        "wire-encoded chunks, decoded inside the timed call; default options (memtable 64 MiB, filter 10 bits)",
        "Durability.Process; durable rows: Durability.Power",
        "sustained and overwrite rows, which tell the space: HistoryEntries 0, for the peers keep no history; "
            + "elsewhere the default, 65,536 entries",
        "get: Read into the caller's buffer; in place: ReadView.TryGet, a view opened for each get; scans: "
            + "a ReadView opened for each scan",
        "multi-get: GetMulti, whose result is an array of its own for each value",
        "the other table access: TableAccess.Probed; everywhere else TableAccess.Mapped",
        "settled: CompactAsync; checkpoint: GenerateSnapshotDataAsync at the last applied entry; count: Count",
    ];

    private LsmStateMachine Machine => _machine!;

    public void Open(string directory, EngineSettings settings)
    {
        var options = new EngineOptions
        {
            Durability = settings.Durable ? Durability.Power : Durability.Process,
            MemtableBytes = settings.MemtableBytes,
            TableAccess =
                settings.Access is { } access ? Enum.Parse<TableAccess>(access, ignoreCase: true) : TableAccess.Mapped,
        };
        _machine = LsmStateMachine.Open(
            directory, settings.KeepsHistory ? options : options with { HistoryEntries = 0 });
    }

    public PreparedChunks Prepare(IEntries entries, long first, int count, int chunkEntries) =>
        new Chunks(Machine, entries, first, count, chunkEntries);

    public IBenchReader OpenReader() => new VarveReader(Machine);

    public void Settle() => Machine.CompactAsync().GetAwaiter().GetResult();

    public void Checkpoint(string directory) =>
        Machine.GenerateSnapshotDataAsync(directory, Machine.LastApplied).GetAwaiter().GetResult();

    public long Count() => Machine.Count;

    public void Describe(IDictionary<string, double> figures)
    {
        var now = Machine.GetStatistics();
        figures["memtables"] = now.Memtables;
        figures["memtable_bytes"] = now.MemtableIndexBytes;
        figures["segment_bytes"] = now.MemtableBytes;
        figures["log_bytes"] = now.WalBytes;
        figures["flushed_bytes"] = now.FlushBytes;
        figures["compacted_bytes"] = now.CompactionBytes;
        figures["flushes"] = now.Flushes;
        figures["compactions"] = now.Compactions;
        figures["flush_stalls"] = now.FlushStalls;
        figures["segment_stalls"] = now.SegmentStalls;
        figures["stalled_ms"] = now.StallTime.TotalMilliseconds;
        figures["runs"] = now.Runs.Count;
        figures["recovered_entries"] = now.RecoveredEntries;
    }

    public void Dispose()
    {
        _machine?.Dispose();
        _machine = null;
    }

    private sealed unsafe class Chunks : PreparedChunks
    {
        private readonly LsmStateMachine _machine;
        private readonly NativeBlock _block;
        private readonly long[] _offsets;
        private readonly ApplyResult[] _results;

        public Chunks(LsmStateMachine machine, IEntries entries, long first, int count, int chunkEntries)
        {
            _machine = machine;
            _results = new ApplyResult[chunkEntries];
            _offsets = new long[(count + chunkEntries - 1) / chunkEntries + 1];
            var largest = WireChunkEncoder.Size((ulong)(first + count), entries.KeyBytesMax, entries.ValueBytes);
            _block = new NativeBlock((long)count * largest);
            Span<byte> key = new byte[entries.KeyBytesMax];
            long at = 0;
            for (var i = 0; i < count; i++)
            {
                if (i % chunkEntries == 0) _offsets[i / chunkEntries] = at;
                var keyBytes = entries.WriteKey(first + i, key);
                at += WireChunkEncoder.Write(
                    _block.Slice(at, largest), (ulong)(first + i + 1), key[..keyBytes], entries.ValueBytes,
                    out var value);
                entries.WriteValue(first + i, value);
            }

            _offsets[^1] = at;
        }

        public override int Count => _offsets.Length - 1;

        public override void Apply(int chunk)
        {
            var from = _offsets[chunk];
            _machine.ApplyChunk(
                new ReadOnlySpan<byte>(_block.Start + from, (int)(_offsets[chunk + 1] - from)), _results);
        }

        public override void Dispose() => _block.Dispose();
    }
}
