using Varve.Format;
using Varve.Versions;
using Varve.Wal;

namespace Varve;

/// <summary>
/// What a view holds while it is open: a version, a position, cursors. Pooled, so that opening a view and scanning allocate
/// nothing once warm; the generation tells a view that is still open from one whose context serves another by now.
/// </summary>
internal sealed class ViewContext(LsmStateMachine engine)
{
    private readonly List<ScanState> _scans = [];
    private int _scansInUse;
    private ulong _leaseTime;
    private bool _hasLeaseTime;

    public LsmStateMachine Engine { get; } = engine;

    public Versions.Version Version { get; private set; } = null!;

    public LogPosition Position { get; private set; }

    /// <summary>Odd while a view is open.</summary>
    public int Generation { get; private set; }

    public void Open(Versions.Version version, LogPosition position)
    {
        Version = version;
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
        Version = null!;
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

/// <summary>The contexts of an engine that no view uses now. Any thread.</summary>
internal sealed class ViewPool(LsmStateMachine engine)
{
    private readonly ViewContext?[] _free = new ViewContext?[Math.Max(16, Environment.ProcessorCount * 4)];

    public ViewContext Take(Versions.Version version, LogPosition position)
    {
        ViewContext? context = null;
        for (var i = 0; i < _free.Length && context is null; i++)
            if (Volatile.Read(ref _free[i]) is not null) context = Interlocked.Exchange(ref _free[i], null);
        context ??= new ViewContext(engine);
        context.Open(version, position);
        return context;
    }

    public void Return(ViewContext context)
    {
        for (var i = 0; i < _free.Length; i++)
            if (Volatile.Read(ref _free[i]) is null && Interlocked.CompareExchange(ref _free[i], context, null) is null) return;
    }
}
