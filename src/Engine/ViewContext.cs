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
    private int _scansInUse;
    private ViewContext? _next;   // for views within views
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

    /// <summary>A context of the calling thread that no view uses.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ViewContext Free(LsmStateMachine engine, PinTable.Slot slot) =>
        slot.Kept is ViewContext first && (first.Generation & 1) == 0 ? first : FreeAmongMore(engine, slot);

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

    private static ViewContext FreeAmongMore(LsmStateMachine engine, PinTable.Slot slot)
    {
        if (slot.Kept is null) slot.Kept = new ViewContext(engine, slot);
        var context = (ViewContext)slot.Kept;
        while ((context.Generation & 1) != 0) context = context._next ??= new ViewContext(engine, slot);
        return context;
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
