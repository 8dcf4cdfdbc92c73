using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Versions;
using Varve.Wal;

namespace Varve;

/// <summary>
/// What a view holds while it is open: a version, a position, cursors. Each thread keeps its own for the next view, so that opening one and
/// scanning allocate nothing once warm and take no locked operation; the generation tells a view that is still open from one whose context serves another by now.
/// </summary>
internal sealed class ViewContext(LsmStateMachine engine, PinTable.Slot slot)
{
    private readonly List<ScanState> _scans = [];
    private ViewContext? _next;
    private int _scansInUse;
    private ulong _leaseTime;
    private bool _hasLeaseTime;

    public LsmStateMachine Engine { get; } = engine;

    /// <summary>The pin of the thread that the view was opened on.</summary>
    public PinTable.Slot Slot { get; } = slot;

    /// <summary>Of the view that is open; what a closed one leaves here is not to be used.</summary>
    public Versions.Version Version { get; private set; } = null!;

    public LogPosition Position { get; private set; }

    /// <summary>Odd while a view is open.</summary>
    public int Generation { get; private set; }

    public bool IsOpen => (Generation & 1) != 0;

    /// <summary>Another one of the same thread, for a view that is opened while this one is open.</summary>
    public ViewContext Next => _next ??= new ViewContext(Engine, Slot);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Open(Versions.Version version, in LogPosition position)
    {
        if (Version != version) Version = version;
        Position = position;
        _hasLeaseTime = false;
        Generation++;
    }

    /// <summary>Ends the view; the cursors let go of the version.</summary>
    public void Close()
    {
        Generation++;
        for (var i = 0; i < _scansInUse; i++) _scans[i].Close();
        _scansInUse = 0;
    }

    /// <summary>A scan of this view; its cursors are opened at the first step.</summary>
    public ScanState NextScan()
    {
        if (_scansInUse == _scans.Count) _scans.Add(new ScanState(this));
        return _scans[_scansInUse++];
    }

    public bool IsLive(RecordKind kind, ulong deadline)
    {
        if (kind != RecordKind.LeasedPut) return kind == RecordKind.Put;
        if (!_hasLeaseTime)
        {
            _leaseTime = Engine.LeaseTimeOf(Position);
            _hasLeaseTime = true;
        }

        return _leaseTime < deadline;
    }
}
