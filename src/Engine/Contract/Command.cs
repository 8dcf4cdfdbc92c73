using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Varve.Contract;

namespace Varve;

/// <summary>
/// The effect of one log entry. Refers to the caller's memory: keep its bytes unchanged until the apply returns, or the
/// outcome may be that of either content. Immutable; any thread.
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

    /// <summary>Moves the applied index and has no other effect.</summary>
    public static Command Noop { get; }

    /// <summary>
    /// Sets <paramref name="key"/>, and replaces any lease on it. Limits are checked at apply
    /// (<see cref="TryValidate"/>).
    /// </summary>
    /// <param name="key">1 to 65,535 bytes.</param>
    /// <param name="value">0 to 1 GiB.</param>
    /// <param name="ttlSeconds">Seconds until the key expires; 0: never.</param>
    public static Command Insert(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, ulong ttlSeconds = 0) =>
        new(CommandKind.Insert, key, value, null, ttlSeconds);

    /// <summary>Removes <paramref name="key"/>; succeeds if the key is absent, too.</summary>
    /// <param name="key">1 to 65,535 bytes.</param>
    public static Command Delete(ReadOnlyMemory<byte> key) => new(CommandKind.Delete, key, default, null, 0);

    /// <summary>
    /// Sets <paramref name="key"/> if its value is <paramref name="expected"/>; a success replaces any lease on it.
    /// </summary>
    /// <param name="key">1 to 65,535 bytes.</param>
    /// <param name="expected">The value that the key must have; null: the key must be absent. An empty array is a
    /// value.</param>
    /// <param name="value">0 to 1 GiB.</param>
    /// <param name="ttlSeconds">Seconds until the key expires; 0: never.</param>
    public static Command CompareAndSwap(
        ReadOnlyMemory<byte> key, byte[]? expected, ReadOnlyMemory<byte> value, ulong ttlSeconds = 0) =>
        new(
            CommandKind.CompareAndSwap, key, value, expected is null ? default(ReadOnlyMemory<byte>?) : expected,
            ttlSeconds);

    /// <summary>
    /// Sets <paramref name="key"/> if its value is <paramref name="expected"/>, which may be empty but does not stand
    /// for absence.
    /// </summary>
    /// <param name="key">1 to 65,535 bytes.</param>
    /// <param name="expected">The value that the key must have.</param>
    /// <param name="value">0 to 1 GiB.</param>
    /// <param name="ttlSeconds">Seconds until the key expires; 0: never.</param>
    public static Command CompareAndSwap(
        ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> expected, ReadOnlyMemory<byte> value, ulong ttlSeconds = 0) =>
        new(CommandKind.CompareAndSwap, key, value, expected, ttlSeconds);

    /// <summary>
    /// Sets <paramref name="key"/> if it is as <paramref name="expected"/> states; a success replaces any lease on it.
    /// </summary>
    /// <param name="key">1 to 65,535 bytes.</param>
    /// <param name="expected">The value that the key must have, which may be empty; null: the key must be
    /// absent.</param>
    /// <param name="value">0 to 1 GiB.</param>
    public static Command CompareAndSwap(
        ReadOnlyMemory<byte> key, ReadOnlyMemory<byte>? expected, ReadOnlyMemory<byte> value) =>
        new(CommandKind.CompareAndSwap, key, value, expected, 0);

    /// <summary>The kind of command.</summary>
    public CommandKind Kind { get; }

    /// <summary>The key; empty for a no-op.</summary>
    public ReadOnlyMemory<byte> Key { get; }

    /// <summary>The new value; empty for a no-op and a delete.</summary>
    public ReadOnlyMemory<byte> Value { get; }

    /// <summary>Of a compare-and-swap, the value that the key must have; null: the key must be absent.</summary>
    public ReadOnlyMemory<byte>? Expected { get; }

    /// <summary>Of an insert and a compare-and-swap, seconds until the key expires; 0: never.</summary>
    public ulong TtlSeconds { get; }

    /// <summary>Checks the limits of key and value. A proposer keeps invalid commands out of the log.</summary>
    /// <param name="problem">The problem, with the limit; null if there is none.</param>
    /// <returns>True if an apply accepts the command.</returns>
    public bool TryValidate([NotNullWhen(false)] out string? problem)
    {
        problem = CommandLimits.AreKept(Kind, Key.Length, Value.Length)
            ? null
            : "The command has " + CommandLimits.Problem(Key.Length, Value.Length) + ".";
        return problem is null;
    }

    /// <summary>True if all bytes are in arrays, so reading them runs no code of the user.</summary>
    internal bool IsInArrays =>
        MemoryMarshal.TryGetArray(Key, out _) && MemoryMarshal.TryGetArray(Value, out _)
        && (Expected is not { } expected || MemoryMarshal.TryGetArray(expected, out _));

    /// <summary>The same command over other memory.</summary>
    internal Command Over(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte>? expected) =>
        new(Kind, key, value, expected, TtlSeconds);
}
