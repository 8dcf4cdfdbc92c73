using System.Runtime.CompilerServices;
using Varve.Reading;

namespace Varve;

/// <summary>
/// A forward or reversed scan, for use with foreach. Used on the thread of its view, while the view is open. It keeps
/// memory until it ends: at its last entry unless <see cref="Seek"/> has moved it, when it is disposed (foreach does
/// so), or when its view is. Copies of an enumerator are one scan.
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
        get => IsOver ? ThrowOver(_scan, _stamp, PrefixScan.NoEntry) : _scan;
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
            return new EntryView(entry.Key, entry.Version);
        }
    }

    /// <summary>
    /// Steps to the next entry; false at the end, in later calls too. After an exception, later calls throw the same
    /// one again.
    /// </summary>
    /// <exception cref="CorruptionException">A block of a table is damaged.</exception>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    /// <exception cref="InvalidOperationException">The engine's clock failed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool MoveNext() => IsOver ? StaysOver(_scan, _stamp) : _scan.MoveNext();

    /// <summary>Reverses the scan.</summary>
    /// <exception cref="InvalidOperationException">The scan has already begun.</exception>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    public readonly ScanEnumerator Reversed()
    {
        if (Scan.IsStarted) throw new InvalidOperationException("A scan is reversed before its first MoveNext.");
        _scan.Reverse();
        return this;
    }

    /// <summary>
    /// Moves the scan to a key, forward or back: the next <see cref="MoveNext"/> steps to the first live entry at or
    /// after the key, in a reversed scan to the last one at or before it. The scan stays in its range: a key before the
    /// range moves it to its first entry, a key behind the range to its end (in the scan's direction). Until that step
    /// the scan stands on no entry. Costs what the begin of a scan costs.
    /// </summary>
    /// <remarks>
    /// Allowed at any time before the scan ends. A scan that was moved does not end at its last entry, so that it can
    /// be moved again; it ends when it, or its view, is disposed. A scan that has failed stays failed.
    /// </remarks>
    /// <param name="key">The key; copied. Empty: before every key.</param>
    /// <exception cref="InvalidOperationException">The scan has ended: it was disposed, or it passed its last entry and
    /// was never moved.</exception>
    /// <exception cref="ObjectDisposedException">The view is disposed.</exception>
    public readonly void Seek(ReadOnlySpan<byte> key)
    {
        if (IsOver) ThrowOver(_scan, _stamp, "The scan has ended.");
        _scan.Seek(key);
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
    private static PrefixScan ThrowOver(PrefixScan? scan, long stamp, string problem) =>
        StaysOver(scan, stamp) ? scan! : throw new InvalidOperationException(problem);
}
