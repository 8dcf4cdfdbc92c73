using System.Text;

namespace Varve;

/// <summary>
/// Keys and values as text, in UTF-8: a convenience that allocates. Characters that have no encoding, such as an
/// unpaired surrogate, become U+FFFD, and so do bytes of a value that are no UTF-8.
/// </summary>
public static class StringExtensions
{
    extension(Command)
    {
        /// <inheritdoc cref="Command.Insert(ReadOnlyMemory{byte}, ReadOnlyMemory{byte}, ulong)"/>
        /// <exception cref="ArgumentNullException">An argument is null.</exception>
        public static Command Insert(string key, string value, ulong ttlSeconds = 0) =>
            Command.Insert(Bytes(key), Bytes(value), ttlSeconds);

        /// <inheritdoc cref="Command.InsertIfAbsent(ReadOnlyMemory{byte}, ReadOnlyMemory{byte}, ulong)"/>
        /// <exception cref="ArgumentNullException">An argument is null.</exception>
        public static Command InsertIfAbsent(string key, string value, ulong ttlSeconds = 0) =>
            Command.InsertIfAbsent(Bytes(key), Bytes(value), ttlSeconds);

        /// <inheritdoc cref="Command.Delete(ReadOnlyMemory{byte})"/>
        /// <exception cref="ArgumentNullException">An argument is null.</exception>
        public static Command Delete(string key) => Command.Delete(Bytes(key));

        /// <inheritdoc cref="Command.CompareAndSwap(ReadOnlyMemory{byte}, byte[], ReadOnlyMemory{byte}, ulong)"/>
        /// <exception cref="ArgumentNullException"><paramref name="key"/> or <paramref name="value"/> is
        /// null.</exception>
        public static Command CompareAndSwap(string key, string? expected, string value, ulong ttlSeconds = 0) =>
            Command.CompareAndSwap(Bytes(key), expected is null ? null : Bytes(expected), Bytes(value), ttlSeconds);

        /// <inheritdoc cref="Command.CompareAndDelete(ReadOnlyMemory{byte}, ReadOnlyMemory{byte})"/>
        /// <exception cref="ArgumentNullException">An argument is null.</exception>
        public static Command CompareAndDelete(string key, string expected) =>
            Command.CompareAndDelete(Bytes(key), Bytes(expected));

        /// <inheritdoc cref="Command.Renew(ReadOnlyMemory{byte}, ulong)"/>
        /// <exception cref="ArgumentNullException">An argument is null.</exception>
        public static Command Renew(string key, ulong ttlSeconds) => Command.Renew(Bytes(key), ttlSeconds);
    }

    /// <summary>The live value of a key as text.</summary>
    /// <param name="machine">The state machine.</param>
    /// <param name="key">The key.</param>
    /// <returns>The value; null if the key is absent.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The state machine is stopped.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    public static string? GetString(this IStateMachine machine, string key)
    {
        ArgumentNullException.ThrowIfNull(machine);
        return machine.Get(Bytes(key)) is { } value ? Encoding.UTF8.GetString(value) : null;
    }

    /// <summary>The live entries whose keys start with a prefix: <see cref="IStateMachine.ScanPrefix"/>.</summary>
    /// <param name="machine">The state machine.</param>
    /// <param name="prefix">The prefix; an empty one selects every key.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The state machine is stopped.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    /// <exception cref="CorruptionException">A block of the range is damaged.</exception>
    /// <exception cref="NotSupportedException">The state machine has no scans.</exception>
    public static ScanResult ScanPrefix(this IStateMachine machine, string prefix)
    {
        ArgumentNullException.ThrowIfNull(machine);
        return machine.ScanPrefix(Bytes(prefix));
    }

    /// <summary>A page of the entries whose keys start with a prefix: <see cref="IStateMachine.ScanPage"/>.</summary>
    /// <param name="machine">The state machine.</param>
    /// <param name="prefix">The prefix; an empty one selects every key.</param>
    /// <param name="after">The <see cref="ScanPage.Continuation"/> of the page before; empty: the first page.</param>
    /// <param name="limit">The most entries of the page, 1 or more.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="limit"/> is below 1.</exception>
    /// <exception cref="InvalidOperationException">The state machine is stopped.</exception>
    /// <exception cref="ObjectDisposedException">The state machine is closed.</exception>
    /// <exception cref="CorruptionException">A block of the range is damaged.</exception>
    /// <exception cref="NotSupportedException">The state machine has no scans.</exception>
    public static ScanPage ScanPage(
        this IStateMachine machine, string prefix, ReadOnlyMemory<byte> after, int limit)
    {
        ArgumentNullException.ThrowIfNull(machine);
        return machine.ScanPage(Bytes(prefix), after.Span, limit);
    }

    /// <summary>The key of an entry as text.</summary>
    /// <param name="entry">The entry.</param>
    public static string GetKeyString(this KeyValueEntry entry) => Encoding.UTF8.GetString(entry.Key.Span);

    /// <summary>The value of an entry as text.</summary>
    /// <param name="entry">The entry.</param>
    public static string GetValueString(this KeyValueEntry entry) => Encoding.UTF8.GetString(entry.Value.Span);

    private static byte[] Bytes(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Encoding.UTF8.GetBytes(text);
    }
}
