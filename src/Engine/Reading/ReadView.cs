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

    /// <summary>Reads the mark of the outer log at the view's revision.</summary>
    /// <param name="destination">Receives the mark, or as much of it as fits.</param>
    /// <returns>The mark's length in bytes, at most 64; 0: there is none.</returns>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    public readonly int ReadMark(Span<byte> destination) => Session.Mark.CopyTo(destination);

    /// <summary>Finds the live value of a key, without a copy.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value; valid until the view is disposed.</param>
    /// <returns>False if the key is absent.</returns>
    /// <exception cref="CorruptionException">A block that holds the key is damaged.</exception>
    /// <exception cref="InvalidOperationException">The engine's clock failed.</exception>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
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

    /// <summary>Finds the live value of a key and the deadline of its lease, without a copy.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value; valid until the view is disposed.</param>
    /// <param name="leaseDeadlineMs">The moment at which the lease expires, in Unix milliseconds; null if the key is
    /// absent or has no lease.</param>
    /// <returns>False if the key is absent.</returns>
    /// <exception cref="CorruptionException">A block that holds the key is damaged.</exception>
    /// <exception cref="InvalidOperationException">The engine's clock failed.</exception>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    public readonly bool TryGet(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value, out ulong? leaseDeadlineMs)
    {
        var session = Session;
        var found = session.Version.Find(key, session.Position.Index);
        var isLive = found.Exists && session.IsLive(found.Kind, found.Deadline);
        value = isLive ? found.Value : default;
        leaseDeadlineMs = isLive && found.Kind == RecordKind.LeasedPut ? found.Deadline : null;
        return isLive;
    }

    /// <summary>Scans the live entries whose keys start with a prefix, in key order.</summary>
    /// <param name="prefix">The prefix; copied. Empty: all entries.</param>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    public readonly ScanEnumerator ScanPrefix(ReadOnlySpan<byte> prefix)
    {
        var scan = Session.NextScan();
        scan.SetPrefix(prefix);
        return new ScanEnumerator(scan);
    }

    /// <summary>Scans the live entries with from &lt;= key &lt; to, in key order.</summary>
    /// <param name="from">The least key; copied. Empty: no lower bound.</param>
    /// <param name="to">The key to stop before; copied. Empty: no upper bound.</param>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
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
