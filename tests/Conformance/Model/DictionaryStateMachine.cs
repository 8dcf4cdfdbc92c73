namespace Varve.Tests.Conformance.Model;

/// <summary>
/// The contract, spelled out over a sorted dictionary under one lock: slow, and simple enough to be believed by
/// reading. The conformance suite runs against it like against any machine, and it is the model of the property tests.
/// </summary>
internal sealed partial class DictionaryStateMachine(
    DictionaryState disk, EngineOptions options, Action<DictionaryState>? closed = null)
    : IStateMachine
{
    private const int KeyBytesMax = 65_535;
    private const int ValueBytesMax = 1 << 30;

    private readonly Lock _gate = new();
    private DictionaryState _state = disk;
    private ulong _localTime;
    private bool _running = true;
    private bool _disposed;

    public DictionaryStateMachine(EngineOptions? options = null)
        : this(new DictionaryState(), options ?? new EngineOptions()) { }

    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        lock (_gate)
        {
            var now = ServeNow();
            return Live(key.ToArray(), now)?.Value.ToArray();
        }
    }

    public byte[]?[] GetMulti(IReadOnlyList<ReadOnlyMemory<byte>> keys)
    {
        lock (_gate)
        {
            var now = ServeNow();
            return [.. keys.Select(key => Live(key.ToArray(), now)?.Value.ToArray())];
        }
    }

    public ScanResult ScanPrefix(ReadOnlySpan<byte> prefix)
    {
        lock (_gate)
        {
            var now = ServeNow();
            var entries = new List<KeyValueEntry>();
            foreach (var (key, record) in _state.Records)
            {
                if (key.AsSpan().StartsWith(prefix) && record.LivesAt(now))
                    entries.Add(EntryOf(key, record));
            }
            return new ScanResult(entries, _state.LastApplied.Index);
        }
    }

    public ScanPage ScanPage(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> after, int limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        lock (_gate)
        {
            var now = ServeNow();
            var page = new List<KeyValueEntry>();
            foreach (var (key, record) in _state.Records)
            {
                if (!key.AsSpan().StartsWith(prefix) || key.AsSpan().SequenceCompareTo(after) <= 0) continue;
                if (!record.LivesAt(now)) continue;
                if (page.Count == limit) return new ScanPage(page, _state.LastApplied.Index, page[^1].Key);
                page.Add(EntryOf(key, record));
            }
            return new ScanPage(page, _state.LastApplied.Index, Array.Empty<byte>());
        }
    }

    private static KeyValueEntry EntryOf(byte[] key, Record record) =>
        new(key.ToArray(), record.Value.ToArray()) { LeaseDeadlineMs = record.Deadline };

    public long Count
    {
        get
        {
            lock (_gate)
            {
                var now = ServeNow();
                return _state.Records.Values.Count(record => record.LivesAt(now));
            }
        }
    }

    public ValueTask<ApplyResult[]> ApplyChunkAsync(
        ReadOnlyMemory<ApplyEntry> chunk, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            var local = ServeNow();
            cancellationToken.ThrowIfCancellationRequested();
            Check(chunk.Span);
            var results = new ApplyResult[chunk.Length];
            var applied = _state.LastApplied.Index;
            for (var i = 0; i < chunk.Length; i++)
            {
                var entry = chunk.Span[i];
                var status = entry.Index <= applied ? _state.Outcomes[entry.Index] : ApplyNew(entry, local);
                results[i] = new ApplyResult(entry.Index, status == ApplyStatus.Applied) { Status = status };
            }
            return ValueTask.FromResult(results);
        }
    }

    /// <summary>Refuses the whole chunk before anything of it is applied.</summary>
    private void Check(ReadOnlySpan<ApplyEntry> chunk)
    {
        var (index, term) = _state.LastApplied;
        ulong previous = 0;
        foreach (var entry in chunk)
        {
            if (entry.Index <= previous)
                throw new ArgumentException($"Index {entry.Index} does not increase on {previous}");
            previous = entry.Index;
            if (options.InvalidCommands == InvalidCommands.Throw && !IsWithinLimits(entry.Command))
                throw new ArgumentException("A key has 1 to 65,535 bytes, a value at most 1 GiB");
            if (entry.Index <= _state.LastApplied.Index)
            {
                if (!_state.Outcomes.ContainsKey(entry.Index)) throw new DuplicateEntryException(entry.Index);
                continue;
            }
            if (options.LogGaps == LogGapPolicy.Reject && entry.Index != index + 1)
                throw new LogGapException(index + 1, entry.Index);
            if (entry.Term < term) throw new ArgumentException($"Term {entry.Term} is below {term}");
            (index, term) = (entry.Index, entry.Term);
        }
    }

    private static bool IsWithinLimits(Command command) =>
        command.Kind == CommandKind.Noop
        || (command.Key.Length is > 0 and <= KeyBytesMax && command.Value.Length <= ValueBytesMax);

    private ApplyStatus ApplyNew(ApplyEntry entry, ulong local)
    {
        var logTimeBefore = _state.LogTime;
        _state.LogTime = Math.Max(_state.LogTime, entry.TimestampMs);
        var now = options.LeaseClock == LeaseClock.Log ? _state.LogTime : local;

        var refused = !IsWithinLimits(entry.Command);
        var key = entry.Command.Key.ToArray();
        _state.Records.TryGetValue(key, out var before);
        byte[]? current = before is not null && before.LivesAt(now) ? before.Value : null;
        var succeeded = true;
        switch (refused ? CommandKind.Noop : entry.Command.Kind)
        {
            case CommandKind.Insert:
                _state.Records[key] = new Record(
                    entry.Command.Value.ToArray(), Deadline(now, entry.Command.TtlSeconds));
                break;
            case CommandKind.Delete:
                _state.Records.Remove(key);
                break;
            case CommandKind.CompareAndDelete:
                succeeded = current is not null && entry.Command.Expected!.Value.Span.SequenceEqual(current);
                if (succeeded) _state.Records.Remove(key);
                break;
            case CommandKind.Renew:
                succeeded = current is not null;
                if (succeeded) _state.Records[key] = new Record(current!, Deadline(now, entry.Command.TtlSeconds));
                break;
            case CommandKind.CompareAndSwap:
                succeeded = entry.Command.Expected is { } expected
                    ? current is not null && expected.Span.SequenceEqual(current)
                    : current is null;
                if (succeeded)
                    _state.Records[key] = new Record(
                        entry.Command.Value.ToArray(), Deadline(now, entry.Command.TtlSeconds));
                break;
        }

        var touched = entry.Command.Kind != CommandKind.Noop && succeeded && !refused;
        var status = refused ? ApplyStatus.Refused : succeeded ? ApplyStatus.Applied : ApplyStatus.ExpectationFailed;
        _state.History.Add(new Undo(entry.Index, touched ? key : null, before, logTimeBefore));
        _state.Terms[entry.Index] = entry.Term;
        _state.Remember(entry.Index, status);
        _state.LastApplied = new LogId(entry.Index, entry.Term);
        return status;
    }

    private static ulong? Deadline(ulong now, ulong ttlSeconds)
    {
        if (ttlSeconds == 0) return null;
        var exact = (UInt128)now + ((UInt128)ttlSeconds * 1000);
        return exact > ulong.MaxValue ? ulong.MaxValue : (ulong)exact;
    }

    public Task<IReadOnlyList<ReadOnlyMemory<byte>>> LeaseBackgroundCleanupAsync(
        CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            var now = ServeNow();
            cancellationToken.ThrowIfCancellationRequested();
            var expired = _state.Records.Where(pair => !pair.Value.LivesAt(now)).ToArray();
            foreach (var (key, record) in expired)
            {
                // A cut at an earlier index may see the key alive: its log time is earlier too.
                _state.History.Add(new Undo(_state.LastApplied.Index, key, record, _state.LogTime));
                _state.Records.Remove(key);
            }
            return Task.FromResult<IReadOnlyList<ReadOnlyMemory<byte>>>(
                [.. expired.Select(pair => (ReadOnlyMemory<byte>)pair.Key)]);
        }
    }

    private Record? Live(byte[] key, ulong now) =>
        _state.Records.TryGetValue(key, out var record) && record.LivesAt(now) ? record : null;

    /// <summary>The time that leases go by; the local one never runs backward within an instance.</summary>
    private ulong ServeNow()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!_running) throw new InvalidOperationException("The state machine is stopped");
        if (options.LeaseClock == LeaseClock.Log) return _state.LogTime;
        var now = options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds();
        return _localTime = Math.Max(_localTime, (ulong)Math.Max(0, now));
    }
}
