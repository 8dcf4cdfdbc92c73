namespace Varve.Format;

/// <summary>
/// Everything the state machine knows beside its keys, as of one applied index. Manifests and snapshots carry it, so
/// that data and position can never come apart.
/// </summary>
internal sealed record MachineState
{
    /// <summary>The state of a new or reset database: nothing but what it is for life.</summary>
    public static MachineState Empty(ulong hashSeed, StoredLeaseClock leaseClock) =>
        new() { HashSeed = hashSeed, LeaseClock = leaseClock };

    public ulong LastIndex { get; init; }

    public ulong LastTerm { get; init; }

    /// <summary>Largest entry timestamp up to <see cref="LastIndex"/>, Unix milliseconds.</summary>
    public ulong LogTimeMs { get; init; }

    /// <summary>
    /// Latest local time seen by an apply up to <see cref="LastIndex"/>; local time never runs behind it. 0 in a state
    /// that was installed.
    /// </summary>
    public ulong LocalTimeMs { get; init; }

    /// <summary>
    /// Keys whose newest version is a put with a deadline after <see cref="CountedTimeMs"/> (or none).
    /// </summary>
    public long LiveCount { get; init; }

    /// <summary>The time that <see cref="LiveCount"/> is true at.</summary>
    public ulong CountedTimeMs { get; init; }

    /// <summary>
    /// The largest deadline of a lease that a clean-up had reported when <see cref="LastIndex"/> was the last; later
    /// leases have later ones.
    /// </summary>
    public ulong CleanedTimeMs { get; init; }

    /// <summary>
    /// The secret that key hashes are made with: random, of the database that began this state, and in the footer of
    /// each of its tables. A snapshot brings its own.
    /// </summary>
    public ulong HashSeed { get; init; }

    /// <summary>The clock that leases expire by.</summary>
    public StoredLeaseClock LeaseClock { get; init; }

    /// <summary>Terms by first index, ascending in both, but for <see cref="TermRun.Unknown"/>.</summary>
    public TermRun[] Terms { get; init; } = [];

    /// <summary>Outcomes of the latest entries, ascending and disjoint.</summary>
    public OutcomeRun[] Outcomes { get; init; } = [];

    /// <summary>The mark of the outer log; empty: there is none.</summary>
    public LogMark Mark { get; init; }

    /// <summary>The last snapshot made or installed, if any: its last entry and the 32 bytes of its checksum.</summary>
    public (ulong Index, ulong Term, byte[] Checksum)? Snapshot { get; init; }
}
