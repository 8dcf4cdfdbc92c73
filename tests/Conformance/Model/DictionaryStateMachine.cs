namespace Varve.Tests.Conformance.Model;

/// <summary>
/// The contract, spelled out over a sorted dictionary under one lock: slow, and simple enough to be believed by reading.
/// The conformance suite runs against it like against any machine, and it is the model of the property tests.
/// </summary>
internal sealed partial class DictionaryStateMachine(DictionaryState disk, EngineOptions options, Action<DictionaryState>? closed = null) : IStateMachine
{
    private const int KeyBytesMax = 65_535;
    private const int ValueBytesMax = 1 << 30;

    private readonly Lock gate = new();
    private DictionaryState state = disk;
    private ulong localTime;
    private bool running = true;
    private bool disposed;

    public DictionaryStateMachine(EngineOptions? options = null) : this(new DictionaryState(), options ?? new EngineOptions()) { }

    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        lock (gate)
        {
            ulong now = ServeNow();
            return Live(key.ToArray(), now)?.Value.ToArray();
        }
    }

    public byte[]?[] GetMulti(IReadOnlyList<ReadOnlyMemory<byte>> keys)
    {
        lock (gate)
        {
            ulong now = ServeNow();
            return [.. keys.Select(key => Live(key.ToArray(), now)?.Value.ToArray())];
        }
    }

    public ScanResult ScanPrefix(ReadOnlySpan<byte> prefix)
    {
        lock (gate)
        {
            ulong now = ServeNow();
            var entries = new List<KeyValueEntry>();
            foreach (var (key, record) in state.Records)
            {
                if (key.AsSpan().StartsWith(prefix) && record.LivesAt(now))
                    entries.Add(new KeyValueEntry(key.ToArray(), record.Value.ToArray()));
            }
            return new ScanResult(entries, state.LastApplied.Index);
        }
    }

    public long Count
    {
        get
        {
            lock (gate)
            {
                ulong now = ServeNow();
                return state.Records.Values.Count(record => record.LivesAt(now));
            }
        }
    }

    public ValueTask<ApplyResult[]> ApplyChunkAsync(ReadOnlyMemory<ApplyEntry> chunk, CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            ulong local = ServeNow();
            cancellationToken.ThrowIfCancellationRequested();
            Check(chunk.Span);
            var results = new ApplyResult[chunk.Length];
            ulong applied = state.LastApplied.Index;
            for (int i = 0; i < chunk.Length; i++)
            {
                var entry = chunk.Span[i];
                var status = entry.Index <= applied ? state.Outcomes[entry.Index] : ApplyNew(entry, local);
                results[i] = new ApplyResult(entry.Index, status == ApplyStatus.Applied) { Status = status };
            }
            return ValueTask.FromResult(results);
        }
    }

    /// <summary>Refuses the whole chunk before anything of it is applied.</summary>
    private void Check(ReadOnlySpan<ApplyEntry> chunk)
    {
        var (index, term) = state.LastApplied;
        ulong previous = 0;
        foreach (var entry in chunk)
        {
            if (entry.Index <= previous)
                throw new ArgumentException($"Index {entry.Index} does not increase on {previous}");
            previous = entry.Index;
            if (options.InvalidCommands == InvalidCommands.Throw && !IsWithinLimits(entry.Command))
                throw new ArgumentException("A key has 1 to 65,535 bytes, a value at most 1 GiB");
            if (entry.Index <= state.LastApplied.Index)
            {
                if (!state.Outcomes.ContainsKey(entry.Index))
                    throw new DuplicateEntryException(entry.Index);
                continue;
            }
            if (options.LogGaps == LogGapPolicy.Reject && entry.Index != index + 1)
                throw new LogGapException(index + 1, entry.Index);
            if (entry.Term < term)
                throw new ArgumentException($"Term {entry.Term} is below {term}");
            (index, term) = (entry.Index, entry.Term);
        }
    }

    private static bool IsWithinLimits(Command command) =>
        command.Kind == CommandKind.Noop || (command.Key.Length is > 0 and <= KeyBytesMax && command.Value.Length <= ValueBytesMax);

    private ApplyStatus ApplyNew(ApplyEntry entry, ulong local)
    {
        ulong logTimeBefore = state.LogTime;
        state.LogTime = Math.Max(state.LogTime, entry.TimestampMs);
        ulong now = options.LeaseClock == LeaseClock.Log ? state.LogTime : local;

        bool refused = !IsWithinLimits(entry.Command);
        byte[] key = entry.Command.Key.ToArray();
        state.Records.TryGetValue(key, out var before);
        byte[]? current = before is not null && before.LivesAt(now) ? before.Value : null;
        bool succeeded = true;
        switch (refused ? CommandKind.Noop : entry.Command.Kind)
        {
            case CommandKind.Insert:
                state.Records[key] = new Record(entry.Command.Value.ToArray(), Deadline(now, entry.Command.TtlSeconds));
                break;
            case CommandKind.Delete:
                state.Records.Remove(key);
                break;
            case CommandKind.CompareAndSwap:
                succeeded = entry.Command.Expected is { } expected
                    ? current is not null && expected.Span.SequenceEqual(current)
                    : current is null;
                if (succeeded)
                    state.Records[key] = new Record(entry.Command.Value.ToArray(), Deadline(now, entry.Command.TtlSeconds));
                break;
        }

        bool touched = entry.Command.Kind != CommandKind.Noop && succeeded && !refused;
        var status = refused ? ApplyStatus.Refused : succeeded ? ApplyStatus.Applied : ApplyStatus.ExpectationFailed;
        state.History.Add(new Undo(entry.Index, touched ? key : null, before, logTimeBefore));
        state.Terms[entry.Index] = entry.Term;
        state.Remember(entry.Index, status);
        state.LastApplied = new LogId(entry.Index, entry.Term);
        return status;
    }

    private static ulong? Deadline(ulong now, ulong ttlSeconds)
    {
        if (ttlSeconds == 0)
            return null;
        var exact = (UInt128)now + ((UInt128)ttlSeconds * 1000);
        return exact > ulong.MaxValue ? ulong.MaxValue : (ulong)exact;
    }

    public Task<IReadOnlyList<ReadOnlyMemory<byte>>> LeaseBackgroundCleanupAsync(CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            ulong now = ServeNow();
            cancellationToken.ThrowIfCancellationRequested();
            var expired = state.Records.Where(pair => !pair.Value.LivesAt(now)).ToArray();
            foreach (var (key, record) in expired)
            {
                // A cut at an earlier index may see the key alive: its log time is earlier too.
                state.History.Add(new Undo(state.LastApplied.Index, key, record, state.LogTime));
                state.Records.Remove(key);
            }
            return Task.FromResult<IReadOnlyList<ReadOnlyMemory<byte>>>([.. expired.Select(pair => (ReadOnlyMemory<byte>)pair.Key)]);
        }
    }

    private Record? Live(byte[] key, ulong now) =>
        state.Records.TryGetValue(key, out var record) && record.LivesAt(now) ? record : null;

    /// <summary>The time that leases go by; the local one never runs backward within an instance.</summary>
    private ulong ServeNow()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (!running)
            throw new InvalidOperationException("The state machine is stopped");
        if (options.LeaseClock == LeaseClock.Log)
            return state.LogTime;
        long now = options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds();
        return localTime = Math.Max(localTime, (ulong)Math.Max(0, now));
    }
}
