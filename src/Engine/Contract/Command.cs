using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Varve.Contract;
using Varve.Format;

namespace Varve;

/// <summary>
/// The effect of one log entry. Refers to the caller's memory: keep its bytes unchanged until the apply returns, or the
/// outcome may be that of either content. Immutable; any thread.
/// </summary>
/// <remarks>Commands are equal if their kinds, bytes and times to live are.</remarks>
public readonly struct Command : IEquatable<Command>
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

    /// <summary>
    /// Sets <paramref name="key"/> if it does not exist: a compare-and-swap that expects absence. With a time to live
    /// it takes a lease that nobody holds.
    /// </summary>
    /// <param name="key">1 to 65,535 bytes.</param>
    /// <param name="value">0 to 1 GiB.</param>
    /// <param name="ttlSeconds">Seconds until the key expires; 0: never.</param>
    public static Command InsertIfAbsent(
        ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, ulong ttlSeconds = 0) =>
        new(CommandKind.CompareAndSwap, key, value, null, ttlSeconds);

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

    /// <summary>
    /// Removes <paramref name="key"/> if its value is <paramref name="expected"/>. An absent key fails it.
    /// </summary>
    /// <param name="key">1 to 65,535 bytes.</param>
    /// <param name="expected">The value that the key must have. An empty value is a value.</param>
    public static Command CompareAndDelete(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> expected) =>
        new(CommandKind.CompareAndDelete, key, default, expected, 0);

    /// <summary>
    /// Gives <paramref name="key"/> a new deadline and keeps its value. It fails if the key is absent or has expired.
    /// </summary>
    /// <remarks>The engine logs the value again: a renewal costs what an insert of the value costs.</remarks>
    /// <param name="key">1 to 65,535 bytes.</param>
    /// <param name="ttlSeconds">Seconds from now until the key expires; 0: never.</param>
    public static Command Renew(ReadOnlyMemory<byte> key, ulong ttlSeconds) =>
        new(CommandKind.Renew, key, default, null, ttlSeconds);

    /// <summary>The kind of command.</summary>
    public CommandKind Kind { get; }

    /// <summary>The key; empty for a no-op.</summary>
    public ReadOnlyMemory<byte> Key { get; }

    /// <summary>The new value of an insert and a compare-and-swap; empty for all others.</summary>
    public ReadOnlyMemory<byte> Value { get; }

    /// <summary>
    /// The value that a compare-and-swap or a compare-and-delete expects; null: the key must not exist. Null for all
    /// others.
    /// </summary>
    public ReadOnlyMemory<byte>? Expected { get; }

    /// <summary>
    /// Seconds until the key of an insert, a compare-and-swap or a renewal expires; 0: never, and for all others.
    /// </summary>
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

    /// <summary>
    /// Appends the command's wire form, a <c>WriteCommand</c> message: what the payload of a log entry holds. Nothing
    /// for <see cref="Noop"/>.
    /// </summary>
    /// <param name="destination">Receives the bytes.</param>
    /// <exception cref="ArgumentNullException"><paramref name="destination"/> is null.</exception>
    /// <exception cref="OverflowException">The command's wire form is over 2 GiB.</exception>
    public void WriteTo(IBufferWriter<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        WireWriter.WriteCommand(destination, ToWire());
    }

    /// <summary>
    /// Parses a command's wire form (<see cref="WriteTo"/>), in any legal protobuf encoding; unknown fields are
    /// skipped. Never throws, whatever the bytes are. No bytes are <see cref="Noop"/>.
    /// </summary>
    /// <param name="bytes">The bytes, copied.</param>
    /// <param name="command">The command; <see cref="Noop"/> if the bytes are none.</param>
    /// <returns>False if the bytes are malformed, or a message without an operation.</returns>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out Command command)
    {
        command = Noop;
        if (bytes.IsEmpty) return true;
        if (!WireEntryDecoder.TryDecodeCommand(bytes, out var entry)) return false;
        command = new Command(
            entry.Kind, entry.KeyIn(bytes).ToArray(), entry.ValueIn(bytes).ToArray(),
            entry.ExpectedLength < 0 ? default(ReadOnlyMemory<byte>?) : entry.ExpectedIn(bytes).ToArray(),
            entry.TtlSeconds);
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(Command other) =>
        Kind == other.Kind && TtlSeconds == other.TtlSeconds && Key.Span.SequenceEqual(other.Key.Span)
        && Value.Span.SequenceEqual(other.Value.Span) && Expected.HasValue == other.Expected.HasValue
        && Expected.GetValueOrDefault().Span.SequenceEqual(other.Expected.GetValueOrDefault().Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Command other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(Kind);
        hash.Add(TtlSeconds);
        hash.AddBytes(Key.Span);
        hash.AddBytes(Value.Span);
        hash.AddBytes(Expected.GetValueOrDefault().Span);
        return hash.ToHashCode();
    }

    /// <summary>Kind, lengths and time to live, without bytes of the user's.</summary>
    /// <returns>For example <c>Insert (key 6 B, value 5 B, TTL 60 s)</c>.</returns>
    public override string ToString()
    {
        if (Kind == CommandKind.Noop) return nameof(Noop);
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{Kind} (key {Key.Length} B");
        if (Kind is CommandKind.Insert or CommandKind.CompareAndSwap)
            text.Append(CultureInfo.InvariantCulture, $", value {Value.Length} B");
        if (Expected is { } expected) text.Append(CultureInfo.InvariantCulture, $", expected {expected.Length} B");
        else if (Kind == CommandKind.CompareAndSwap) text.Append(", expected absent");
        if (TtlSeconds != 0) text.Append(CultureInfo.InvariantCulture, $", TTL {TtlSeconds} s");
        return text.Append(')').ToString();
    }

    /// <summary>Compares kinds, bytes and times to live.</summary>
    public static bool operator ==(Command left, Command right) => left.Equals(right);

    /// <summary>Compares kinds, bytes and times to live.</summary>
    public static bool operator !=(Command left, Command right) => !left.Equals(right);

    /// <summary>The parts to encode.</summary>
    internal WireCommand ToWire() => new()
    {
        Kind = Kind,
        Key = Key.Span,
        Value = Value.Span,
        HasExpected = Expected.HasValue,
        Expected = Expected.GetValueOrDefault().Span,
        TtlSeconds = TtlSeconds,
    };

    /// <summary>True if all bytes are in arrays, so reading them runs no code of the user.</summary>
    internal bool IsInArrays =>
        MemoryMarshal.TryGetArray(Key, out _) && MemoryMarshal.TryGetArray(Value, out _)
        && (Expected is not { } expected || MemoryMarshal.TryGetArray(expected, out _));

    /// <summary>The same command over other memory.</summary>
    internal Command Over(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte>? expected) =>
        new(Kind, key, value, expected, TtlSeconds);
}
