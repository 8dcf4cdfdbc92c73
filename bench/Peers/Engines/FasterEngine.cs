using System.Buffers.Binary;
using FASTER.core;
using Session = FASTER.core.ClientSession<
    FASTER.core.SpanByte, FASTER.core.SpanByte, FASTER.core.Empty, Varve.Bench.Peers.Engines.FasterValue,
    FASTER.core.Empty, Varve.Bench.Peers.Engines.FasterFunctions>;

namespace Varve.Bench.Peers.Engines;

/// <summary>
/// FASTER, a hash table over a log in memory: the bound for what a point operation can cost in .NET. It offers less
/// than the others: no order of keys, no log that survives a kill, no atomic chunk.
/// </summary>
internal sealed class FasterEngine : IBenchEngine
{
    private const long IndexBytes = 128 << 20;   // two million lines of seven entries
    private const long PageBytes = 32 << 20;

    private IDevice? _device;
    private FasterKV<SpanByte, SpanByte>? _store;

    public string Name => "faster";

    public bool KeepsAllWhenKilled => false;

    public bool HasCheckpoint => false;

    public bool IsOrdered => false;

    public IReadOnlyList<string> Notes =>
    [
        "NO order: no prefix scan, no full scan, no YCSB E; NOT atomic: one Upsert an entry, then one for the applied "
            + "index",
        "NO log: what a kill leaves is the last checkpoint, so there are no durable rows, no recovery and no open",
        "SpanByte keys and values, hash index of 128 MiB, 90 % of the log in memory updated in place, log memory as "
            + "large as the others' cache, no locking (one writer)",
        "functions as a struct, so that the runtime specialises them; a chunk, and a multi-get of 64, within one epoch "
            + "of the unsafe context; single gets through the basic context",
        "settled: the log's memory is written to its file and stays in memory; space and written bytes are those of "
            + "that file; count: none that is exact",
    ];

    private FasterKV<SpanByte, SpanByte> Store => _store!;

    public void Open(string directory, EngineSettings settings)
    {
        if (settings.Durable) throw new NotSupportedException("no log");
        if (Directory.EnumerateFileSystemEntries(directory).Any())
            throw new NotSupportedException("without a checkpoint there is nothing to open again");
        _device = Devices.CreateLogDevice(Path.Combine(directory, "hlog"));
        _store = new FasterKV<SpanByte, SpanByte>(new FasterKVSettings<SpanByte, SpanByte>
        {
            IndexSize = IndexBytes,
            LogDevice = _device,
            PageSize = PageBytes,
            MemorySize = settings.CacheBytes,
            MutableFraction = 0.9,
            ConcurrencyControlMode = ConcurrencyControlMode.None,
        });
    }

    public PreparedChunks Prepare(IEntries entries, long first, int count, int chunkEntries) =>
        new Chunks(NewSession(Store), new PackedEntries(entries, first, count, chunkEntries));

    public IBenchReader OpenReader() => new FasterReader(NewSession(Store));

    public void Settle() => Store.Log.Flush(wait: true);

    public void Checkpoint(string directory) =>
        throw new NotSupportedException("no checkpoint of a live writer's state");

    public long Count() => throw new NotSupportedException("no exact count");

    public void Describe(IDictionary<string, double> figures) =>
        figures["log_memory_bytes"] = Store.Log.TailAddress - Store.Log.HeadAddress;

    public void Dispose()
    {
        _store?.Dispose();
        _device?.Dispose();
        (_store, _device) = (null, null);
    }

    private static Session NewSession(FasterKV<SpanByte, SpanByte> store) =>
        store.For(default(FasterFunctions)).NewSession<FasterFunctions>();

    private sealed unsafe class Chunks(Session session, PackedEntries entries) : PreparedChunks
    {
        public override int Count => entries.Chunks;

        public override void Apply(int chunk)
        {
            var at = entries.Start(chunk);
            var context = session.UnsafeContext;
            context.BeginUnsafe();
            try
            {
                for (var left = entries.CountOf(chunk); left > 0; left--)
                {
                    var start = PackedEntries.Next(ref at, entries.ValueBytes, out var keyBytes);
                    var key = SpanByte.FromPointer(start, keyBytes);
                    var value = SpanByte.FromPointer(start + keyBytes, entries.ValueBytes);
                    context.Upsert(ref key, ref value);
                }

                byte appliedKey = 0;
                var applied = stackalloc byte[16];
                BinaryPrimitives.WriteInt64LittleEndian(new Span<byte>(applied, 8), entries.End(chunk));
                BinaryPrimitives.WriteInt64LittleEndian(new Span<byte>(applied + 8, 8), 1);
                var position = SpanByte.FromPointer(&appliedKey, 1);
                var index = SpanByte.FromPointer(applied, 16);
                context.Upsert(ref position, ref index);
            }
            finally
            {
                context.EndUnsafe();
            }
        }

        public override void Dispose()
        {
            session.Dispose();
            entries.Dispose();
        }
    }
}
