namespace Varve.Tests.Conformance.Model;

/// <summary>Orders byte strings as the contract does: unsigned, shorter first.</summary>
internal sealed class ByteOrder : IComparer<byte[]>
{
    public static readonly ByteOrder Instance = new();

    public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
}

/// <summary>A stored value; <see cref="Deadline"/> null: it never expires.</summary>
internal sealed record Record(byte[] Value, ulong? Deadline)
{
    public bool LivesAt(ulong timeMs) => Deadline is not { } deadline || timeMs < deadline;
}

/// <summary>Undoes index <see cref="Index"/>: puts <see cref="Before"/> (null: absence) back under the key.</summary>
internal sealed record Undo(ulong Index, byte[]? Key, Record? Before, ulong LogTimeBefore);

/// <summary>The whole persistent state of a machine. Plain data.</summary>
internal sealed class DictionaryState
{
    public SortedDictionary<byte[], Record> Records { get; init; } = new(ByteOrder.Instance);

    public LogId LastApplied { get; set; }

    /// <summary>The largest timestamp of all entries applied.</summary>
    public ulong LogTime { get; set; }

    /// <summary>The term of every index that was applied; never forgotten here.</summary>
    public Dictionary<ulong, ulong> Terms { get; } = [];

    /// <summary>The outcomes of the last <see cref="OutcomesKept"/> entries, and their order.</summary>
    public Dictionary<ulong, ApplyStatus> Outcomes { get; } = [];

    public Queue<ulong> OutcomeOrder { get; } = [];

    /// <summary>Oldest first.</summary>
    public List<Undo> History { get; } = [];

    /// <summary>Nothing is known of the states before this index.</summary>
    public ulong HistoryFloor { get; init; }

    public SnapshotMetadata? Snapshot { get; set; }

    public const int OutcomesKept = 65_536;

    public void Remember(ulong index, ApplyStatus status)
    {
        Outcomes[index] = status;
        OutcomeOrder.Enqueue(index);
        if (OutcomeOrder.Count > OutcomesKept) Outcomes.Remove(OutcomeOrder.Dequeue());
    }

    /// <summary>
    /// The records as they were after <paramref name="at"/>, and the log time then: a copy, wound back entry by entry.
    /// </summary>
    public DictionaryState CutAt(LogId at)
    {
        var records = new SortedDictionary<byte[], Record>(Records, ByteOrder.Instance);
        var time = LogTime;
        for (var i = History.Count - 1; i >= 0 && History[i].Index > at.Index; i--)
        {
            var (_, key, before, timeBefore) = History[i];
            time = timeBefore;
            if (key is null) continue;
            if (before is null)
                records.Remove(key);
            else
                records[key] = before;
        }
        var cut = new DictionaryState { Records = records, LastApplied = at, LogTime = time, HistoryFloor = at.Index };
        if (at.Index > 0) cut.Terms[at.Index] = at.Term;
        return cut;
    }
}
