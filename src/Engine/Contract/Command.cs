using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Varve.Contract;

namespace Varve;

/// <summary>The position of an entry in the Raft log.</summary>
/// <param name="Index">Its index; 0 is before the first entry.</param>
/// <param name="Term">The term in which a leader created it.</param>
public readonly record struct LogId(ulong Index, ulong Term);

/// <summary>
/// What one log entry does. Holds the caller's memory by reference: keep it unchanged until the apply returns.
/// </summary>
public readonly struct Command
{
    private Command(
        CommandKind kind, ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte>? expected,
        ulong ttlSeconds)
    {
        Kind = kind;
        Key = key;
        Value = value;
        Expected = expected;
        TtlSeconds = ttlSeconds;
    }

    /// <summary>Advances the applied index and does nothing else.</summary>
    public static Command Noop { get; }

    /// <summary>Sets <paramref name="key"/>, and clears any earlier lease on it.</summary>
    /// <param name="key">1 to 65,535 bytes.</param>
    /// <param name="value">0 to 1 GiB.</param>
    /// <param name="ttlSeconds">Seconds until the key expires; 0: never.</param>
    public static Command Insert(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, ulong ttlSeconds = 0) =>
        new(CommandKind.Insert, key, value, null, ttlSeconds);

    /// <summary>Removes <paramref name="key"/>; succeeds also when it is absent.</summary>
    /// <param name="key">1 to 65,535 bytes.</param>
    public static Command Delete(ReadOnlyMemory<byte> key) => new(CommandKind.Delete, key, default, null, 0);

    /// <summary>
    /// Sets <paramref name="key"/> if its value is <paramref name="expected"/>; a success clears any earlier lease on
    /// it.
    /// </summary>
    /// <param name="key">1 to 65,535 bytes.</param>
    /// <param name="expected">The value that must be there; null: the key must not exist. An empty array is a
    /// value.</param>
    /// <param name="value">0 to 1 GiB.</param>
    /// <param name="ttlSeconds">Seconds until the key expires; 0: never.</param>
    public static Command CompareAndSwap(
        ReadOnlyMemory<byte> key, byte[]? expected, ReadOnlyMemory<byte> value, ulong ttlSeconds = 0) =>
        new(
            CommandKind.CompareAndSwap, key, value, expected is null ? default(ReadOnlyMemory<byte>?) : expected,
            ttlSeconds);

    /// <summary>
    /// As the other; <paramref name="expected"/> is a value, an empty one too, and never "must not exist".
    /// </summary>
    /// <param name="key">1 to 65,535 bytes.</param>
    /// <param name="expected">The value that must be there.</param>
    /// <param name="value">0 to 1 GiB.</param>
    /// <param name="ttlSeconds">Seconds until the key expires; 0: never.</param>
    public static Command CompareAndSwap(
        ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> expected, ReadOnlyMemory<byte> value, ulong ttlSeconds = 0) =>
        new(CommandKind.CompareAndSwap, key, value, expected, ttlSeconds);

    /// <summary>As the others, for an expectation that is held as one value.</summary>
    /// <param name="key">1 to 65,535 bytes.</param>
    /// <param name="expected">The value that must be there; null: the key must not exist. An empty value is a
    /// value.</param>
    /// <param name="value">0 to 1 GiB.</param>
    public static Command CompareAndSwap(
        ReadOnlyMemory<byte> key, ReadOnlyMemory<byte>? expected, ReadOnlyMemory<byte> value) =>
        new(CommandKind.CompareAndSwap, key, value, expected, 0);

    /// <summary>Which of the four it is.</summary>
    public CommandKind Kind { get; }

    /// <summary>The key; empty for a no-op.</summary>
    public ReadOnlyMemory<byte> Key { get; }

    /// <summary>The new value; empty for a no-op and a delete.</summary>
    public ReadOnlyMemory<byte> Value { get; }

    /// <summary>For a compare-and-swap, the value that must be there; null: the key must not exist.</summary>
    public ReadOnlyMemory<byte>? Expected { get; }

    /// <summary>For an insert and a compare-and-swap, seconds until expiry; 0: none.</summary>
    public ulong TtlSeconds { get; }

    /// <summary>Whether an apply takes it. What it does not take is for the proposer to keep out of the log.</summary>
    /// <param name="problem">What is wrong with it; null if nothing is.</param>
    public bool TryValidate([NotNullWhen(false)] out string? problem)
    {
        problem = CommandLimits.AreKept(Kind, Key.Length, Value.Length)
            ? null
            : "The command has " + CommandLimits.Problem(Key.Length, Value.Length) + ".";
        return problem is null;
    }

    /// <summary>Whether its bytes are in arrays, and reached without code of the user's.</summary>
    internal bool IsInArrays =>
        MemoryMarshal.TryGetArray(Key, out _) && MemoryMarshal.TryGetArray(Value, out _)
        && (Expected is not { } expected || MemoryMarshal.TryGetArray(expected, out _));

    /// <summary>The same command with its bytes elsewhere.</summary>
    internal Command Over(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte>? expected) =>
        new(Kind, key, value, expected, TtlSeconds);
}

/// <summary>A committed log entry.</summary>
/// <param name="Index">Its log index.</param>
/// <param name="Term">Its term.</param>
/// <param name="Command">What it does.</param>
/// <param name="TimestampMs">The leader's clock, Unix milliseconds; 0: none.</param>
public readonly record struct ApplyEntry(ulong Index, ulong Term, Command Command, ulong TimestampMs = 0);

/// <summary>What came of an entry.</summary>
/// <param name="Index">Its log index.</param>
/// <param name="Succeeded">Whether it was applied: <see cref="Status"/> says why it was not.</param>
public readonly record struct ApplyResult(ulong Index, bool Succeeded)
{
    internal ApplyResult(ulong index, ApplyStatus status)
        : this(index, status == ApplyStatus.Applied) => Status = status;

    /// <summary>What came of it.</summary>
    public ApplyStatus Status { get; init; } = Succeeded ? ApplyStatus.Applied : ApplyStatus.ExpectationFailed;

    /// <summary>
    /// Whether it was applied. False for a compare-and-swap whose expectation did not hold, and for a refused command.
    /// </summary>
    public bool Succeeded
    {
        get => Status == ApplyStatus.Applied;
        init => Status = value ? ApplyStatus.Applied : ApplyStatus.ExpectationFailed;
    }
}

/// <summary>What a snapshot holds and how to know it.</summary>
/// <param name="LastIncluded">The last entry in it.</param>
/// <param name="Checksum">SHA-256 of its manifest file, 32 bytes; the manifest covers every other byte.</param>
public sealed record SnapshotMetadata(LogId LastIncluded, ReadOnlyMemory<byte> Checksum)
{
    /// <summary>Equal when the last included entry and the checksum's bytes are.</summary>
    public bool Equals(SnapshotMetadata? other) =>
        other is not null && LastIncluded == other.LastIncluded && Checksum.Span.SequenceEqual(other.Checksum.Span);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(LastIncluded);
        hash.AddBytes(Checksum.Span);
        return hash.ToHashCode();
    }
}

/// <summary>A key and its value, owned by the receiver.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The value.</param>
public readonly record struct KeyValueEntry(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value);

/// <summary>The answer to a scan.</summary>
/// <param name="Entries">Live entries in key order.</param>
/// <param name="Revision">The applied index that the entries are the state of.</param>
public sealed record ScanResult(IReadOnlyList<KeyValueEntry> Entries, ulong Revision);
