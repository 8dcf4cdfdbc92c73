namespace Varve.Bench.Peers.Engines;

/// <summary>Varve through its public surface alone.</summary>
internal sealed class VarveEngine : IBenchEngine
{
    private LsmStateMachine? _machine;

    public string Name => "varve";

    public IReadOnlyList<string> Notes =>
    [
        "wire-encoded chunks, decoded inside the timed call; default options (memtable 64 MiB, filter 10 bits)",
        "Durability.Process; durable rows: Durability.Power",
        "get: Read into the caller's buffer; scans: a ReadView opened for each scan",
        "settled: CompactAsync; checkpoint: GenerateSnapshotDataAsync at the last applied entry",
    ];

    private LsmStateMachine Machine => _machine!;

    public void Open(string directory, EngineSettings settings) =>
        _machine = LsmStateMachine.Open(directory, new EngineOptions { Durability = settings.Durable ? Durability.Power : Durability.Process });

    public PreparedChunks Prepare(EntrySource source, long first, int count, int chunkEntries) => new Chunks(Machine, source, first, count, chunkEntries);

    public IBenchReader OpenReader() => new Reader(Machine);

    public void Settle() => Machine.CompactAsync().GetAwaiter().GetResult();

    public void Checkpoint(string directory) => Machine.GenerateSnapshotDataAsync(directory, Machine.LastApplied).GetAwaiter().GetResult();

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

        public Chunks(LsmStateMachine machine, EntrySource source, long first, int count, int chunkEntries)
        {
            _machine = machine;
            _results = new ApplyResult[chunkEntries];
            _offsets = new long[(count + chunkEntries - 1) / chunkEntries + 1];
            var largest = WireChunkEncoder.Size((ulong)(first + count), source.KeyBytes, source.ValueBytes);
            _block = new NativeBlock((long)count * largest);
            long at = 0;
            for (var i = 0; i < count; i++)
            {
                if (i % chunkEntries == 0) _offsets[i / chunkEntries] = at;
                at += WireChunkEncoder.Write(
                    _block.Slice(at, largest), (ulong)(first + i + 1), source.KeyBytes, source.ValueBytes, out var key, out var value);
                source.WriteKey(first + i, key);
                source.WriteValue(first + i, value);
            }

            _offsets[^1] = at;
        }

        public override int Count => _offsets.Length - 1;

        public override void Apply(int chunk)
        {
            var from = _offsets[chunk];
            _machine.ApplyChunk(new ReadOnlySpan<byte>(_block.Start + from, (int)(_offsets[chunk + 1] - from)), _results);
        }

        public override void Dispose() => _block.Dispose();
    }

    private sealed class Reader(LsmStateMachine machine) : IBenchReader
    {
        public int Get(ReadOnlySpan<byte> key, Span<byte> destination) => machine.Read(key, destination);

        public long ScanPrefix(ReadOnlySpan<byte> prefix, ref ulong seen)
        {
            using var view = machine.OpenView();
            long count = 0;
            foreach (var entry in view.ScanPrefix(prefix))
            {
                Visit.Entry(ref seen, entry.Key, entry.Value);
                count++;
            }

            return count;
        }

        public long ScanAll(ref ulong seen)
        {
            using var view = machine.OpenView();
            long count = 0;
            foreach (var entry in view.ScanRange(default, default))
            {
                Visit.Entry(ref seen, entry.Key, entry.Value);
                count++;
            }

            return count;
        }

        public void Dispose() { }
    }
}
