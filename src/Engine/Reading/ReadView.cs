using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Reading;

namespace Varve;

/// <summary>
/// The state at one revision. Reads copy nothing and run on the thread that opened the view, until it is disposed.
/// Spans live as long as the view; keys of a scan only until the scan moves or ends. A view outlives its engine: it
/// reads on after a close, even if another engine opens and writes the directory.
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

    /// <summary>The applied index of the state that the view shows.</summary>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    public readonly ulong Revision => Session.Position.Index;

    private readonly ReadSession Session =>
        _session is { } session && session.Generation == _generation
            ? session
            : throw new ObjectDisposedException(nameof(ReadView));

    /// <summary>Finds the live value of a key, without a copy.</summary>
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

    /// <summary>Scans the live entries whose keys start with a prefix, in key order.</summary>
    /// <param name="prefix">The prefix; copied. Empty: all entries.</param>
    public readonly ScanEnumerator ScanPrefix(ReadOnlySpan<byte> prefix)
    {
        var scan = Session.NextScan();
        scan.SetPrefix(prefix);
        return new ScanEnumerator(scan);
    }

    /// <summary>Scans the live entries with from &lt;= key &lt; to, in key order.</summary>
    /// <param name="from">The least key; copied. Empty: no lower bound.</param>
    /// <param name="to">The key to stop before; copied. Empty: no upper bound.</param>
    public readonly ScanEnumerator ScanRange(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        var scan = Session.NextScan();
        scan.SetRange(from, to);
        return new ScanEnumerator(scan);
    }

    /// <summary>Closes the view. Its spans are invalid afterwards. Disposing again does nothing.</summary>
    public void Dispose()
    {
        var session = _session;
        _session = null;
        if (session is null || session.Generation != _generation) return;
        session.Sessions.EndView(session);
    }
}

/// <summary>
/// A forward or reversed scan, for use with foreach. Used on the thread of its view, while the view is open. It keeps
/// memory until it ends: at its last entry, when it is disposed (foreach does so), or when its view is.
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

    /// <summary>The entry on which the scan stands.</summary>
    /// <exception cref="InvalidOperationException">The scan stands on no entry: the last <see cref="MoveNext"/> did not
    /// return true, or none was called.</exception>
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
    /// Steps to the next entry; false at the end, in later calls too. After an exception, later calls throw the same
    /// one again.
    /// </summary>
    /// <exception cref="CorruptionException">A block of a table is damaged.</exception>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool MoveNext() => IsOver ? StaysOver(_scan, _stamp) : _scan.MoveNext();

    /// <summary>Reverses the scan.</summary>
    /// <exception cref="InvalidOperationException">The scan has already begun.</exception>
    public readonly ScanEnumerator Reversed()
    {
        if (Scan.IsStarted) throw new InvalidOperationException("A scan is reversed before its first MoveNext.");
        _scan.Reverse();
        return this;
    }

    /// <summary>Returns this enumerator, for foreach.</summary>
    public readonly ScanEnumerator GetEnumerator() => this;

    /// <summary>
    /// Ends the scan; foreach does so. Does nothing if the scan or its view has ended.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Dispose()
    {
        if (!IsOver) _scan.Session.EndScan(_scan);
    }

    // Static: an instance call would keep the enumerator out of registers in every loop.
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

/// <summary>An entry of a scan, without a copy.</summary>
public readonly ref struct EntryView
{
    internal EntryView(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Key = key;
        Value = value;
    }

    /// <summary>The key; valid until the scan moves or ends.</summary>
    public ReadOnlySpan<byte> Key { get; }

    /// <summary>The value; valid until the view is disposed.</summary>
    public ReadOnlySpan<byte> Value { get; }
}
