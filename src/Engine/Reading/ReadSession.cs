using System.Runtime.CompilerServices;
using Varve.Epochs;
using Varve.Format;
using Varve.Runtime;
using Varve.Versions;
using Varve.Wal;

namespace Varve.Reading;

/// <summary>
/// The state of an open view: its version (held, I8), its position, its scans. A thread reuses its sessions, so that
/// opening a view and scanning allocate nothing and take no locked operation once warm. The generation tells an open
/// view from one whose session serves another view by now.
/// </summary>
internal sealed class ReadSession(ReadSessions sessions) : Hold
{
    private const int ScansKeptMax = 8;
    private readonly List<PrefixScan> _scans = []; // those in use first
    private ReadSession? _next;
    private int _scansInUse;
    private uint _scansBegun;
    private ulong _leaseTime;
    private bool _hasLeaseTime;
    private LogMark _mark;

    public ReadSessions Sessions { get; } = sessions;

    /// <summary>The version that the view reads; not to be used after its end.</summary>
    public DbVersion Version { get; private set; } = null!;

    public LogPosition Position { get; private set; }

    /// <summary>The mark of the outer log at that position.</summary>
    public ref readonly LogMark Mark => ref _mark;

    /// <summary>The time of the open, by the engine's <see cref="ViewClock"/>.</summary>
    public long OpenedAt { get; private set; }

    /// <summary>The thread's next session, for a view that it opens while this one is open.</summary>
    public ReadSession? Next => _next;

    public void Append(ReadSession next) => _next = next;

    /// <summary>Opens a view, under the pin under which the caller read the version.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Open(DbVersion version, in LogPosition position, in LogMark mark, long now)
    {
        Position = position;
        if (!mark.IsEmpty || !_mark.IsEmpty) _mark = mark;
        OpenedAt = now;
        _hasLeaseTime = false;
        if (Version != version) Version = version;
        Begin(version);
    }

    /// <summary>Ends the view and its scans.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void EndView()
    {
        if (_scansInUse > 0) EndScans();
        End();
    }

    /// <summary>Begins a scan of this view; its first step opens the cursors.</summary>
    public PrefixScan NextScan()
    {
        if (_scansInUse == _scans.Count) _scans.Add(new PrefixScan(this));
        var scan = _scans[_scansInUse];
        scan.Place = _scansInUse++;
        scan.Begin(((long)Generation << 32) | ++_scansBegun);
        return scan;
    }

    /// <summary>True if the view in which a scan began is still open.</summary>
    public bool IsOpenSince(long stamp) => (int)(stamp >> 32) == Generation;

    /// <summary>Ends a scan and keeps it for the next one, up to a number of kept scans.</summary>
    public void EndScan(PrefixScan scan)
    {
        scan.End();
        var last = _scans[--_scansInUse];
        if (last != scan)
        {
            (_scans[scan.Place], _scans[_scansInUse]) = (last, scan);
            last.Place = scan.Place;
        }

        if (_scansInUse < ScansKeptMax) return;
        _scans.RemoveAt(_scansInUse);
        scan.Dispose();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void EndScans()
    {
        while (_scansInUse > 0) EndScan(_scans[_scansInUse - 1]);
    }

    public bool IsLive(RecordKind kind, ulong deadline)
    {
        if (kind == RecordKind.LeasedPut && !_hasLeaseTime)
        {
            _leaseTime = Sessions.Clock.LeaseTime(Position.LogTimeMs);
            _hasLeaseTime = true;
        }

        return Liveness.IsLive(kind, deadline, _leaseTime);
    }
}
