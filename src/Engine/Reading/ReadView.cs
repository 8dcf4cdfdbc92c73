using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Reading;

namespace Varve;

/// <summary>
/// The state at one revision, held: reads without copies, on the thread that opened it, until it is disposed. Every
/// span it gives lives as long as the view, but for the keys of a scan, which live until the scan moves on or is over.
/// It outlives its engine: it reads on after a close, also when the directory is opened and written again.
/// </summary>
public ref struct ReadView : IDisposable
{
    private readonly int _generation;
    private ReadSession? _session;

    internal ReadView(ReadSession session)
    {
        _session = session;
        _generation = session.Generation;
    }

    /// <summary>The applied index that everything read through the view is the state of.</summary>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    public readonly ulong Revision => Session.Position.Index;

    private readonly ReadSession Session =>
        _session is { } session && session.Generation == _generation
            ? session
            : throw new ObjectDisposedException(nameof(ReadView));

    /// <summary>The live value of a key, in place.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value; valid until the view is disposed.</param>
    /// <returns>False if the key is absent.</returns>
    public readonly bool TryGet(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        var session = Session;
        var found = session.Version.Find(key, session.Position.Index);
        if (found.Kind == RecordKind.Put || (found.Exists && session.IsLive(found.Kind, found.Deadline)))
        {
            value = found.Value;
            return true;
        }

        value = default;
        return false;
    }

    /// <summary>The live entries whose keys start with a prefix, in key order; an empty prefix gives all.</summary>
    /// <param name="prefix">The prefix; copied.</param>
    public readonly ScanEnumerator ScanPrefix(ReadOnlySpan<byte> prefix)
    {
        var scan = Session.NextScan();
        scan.SetPrefix(prefix);
        return new ScanEnumerator(scan);
    }

    /// <summary>The live entries with from &lt;= key &lt; to, in key order.</summary>
    /// <param name="from">The first key; empty: from the first there is. Copied.</param>
    /// <param name="to">The key to stop before; empty: to the last there is. Copied.</param>
    public readonly ScanEnumerator ScanRange(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        var scan = Session.NextScan();
        scan.SetRange(from, to);
        return new ScanEnumerator(scan);
    }

    /// <summary>Unpins. What the view gave is gone after this; disposing again does nothing.</summary>
    public void Dispose()
    {
        var session = _session;
        _session = null;
        if (session is null || session.Generation != _generation) return;
        session.Sessions.CloseView(session);
    }
}

/// <summary>
/// A scan, forward or reversed; a source for foreach. Used on the thread of its view, while the view is open. It takes
/// memory until it is over: stepped to its end, or disposed, as foreach does, or its view is.
/// </summary>
public ref struct ScanEnumerator
{
    private readonly PrefixScan _scan;
    private readonly long _stamp;

    internal ScanEnumerator(PrefixScan scan)
    {
        _scan = scan;
        _stamp = scan.Stamp;
    }

    private readonly bool IsOver => _scan is null || _scan.Stamp != _stamp;

    private readonly PrefixScan Scan
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => IsOver ? ThrowOver(_scan, _stamp) : _scan;
    }

    /// <summary>The entry that the scan stands on.</summary>
    /// <exception cref="InvalidOperationException">It stands on none: <see cref="MoveNext"/> was not called, or did not
    /// return true.</exception>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    public readonly EntryView Current
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            var entry = Scan.Current;
            return new EntryView(entry.Key, entry.Value);
        }
    }

    /// <summary>
    /// Steps to the next entry; false, also when asked again, when there is none. Once it has thrown, it throws the
    /// same again: the scan cannot go on.
    /// </summary>
    /// <exception cref="CorruptionException">A block of a table is not what was written.</exception>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool MoveNext() => IsOver ? StaysOver(_scan, _stamp) : _scan.MoveNext();

    /// <summary>The same scan from its other end.</summary>
    /// <exception cref="InvalidOperationException">The scan has already begun.</exception>
    public readonly ScanEnumerator Reversed()
    {
        if (Scan.IsStarted) throw new InvalidOperationException("A scan is reversed before its first MoveNext.");
        _scan.Reverse();
        return this;
    }

    /// <summary>Itself.</summary>
    public readonly ScanEnumerator GetEnumerator() => this;

    /// <summary>
    /// Ends the scan before its end; foreach does so. A scan that is over, or whose view is, is left as it is.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Dispose()
    {
        if (!IsOver) _scan.Session.EndScan(_scan);
    }

    // Static, for a call on the enumerator itself would keep it out of registers in every loop.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool StaysOver(PrefixScan? scan, long stamp)
    {
        ObjectDisposedException.ThrowIf(scan is null || !scan.Session.IsOpenSince(stamp), typeof(ReadView));
        return false;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static PrefixScan ThrowOver(PrefixScan? scan, long stamp) =>
        StaysOver(scan, stamp) ? scan! : throw new InvalidOperationException(PrefixScan.NoEntry);
}

/// <summary>An entry in place.</summary>
public readonly ref struct EntryView
{
    internal EntryView(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Key = key;
        Value = value;
    }

    /// <summary>The key; valid until the scan moves on or is over.</summary>
    public ReadOnlySpan<byte> Key { get; }

    /// <summary>The value; valid until the view is disposed.</summary>
    public ReadOnlySpan<byte> Value { get; }
}
