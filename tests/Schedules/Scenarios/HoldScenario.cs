using Varve.Epochs;
using Varve.Format;
using Varve.Tests.Schedules.Control;
using Varve.Versions;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>
/// Versions are switched, retired and collected while a reader holds one after the other as views do. None is freed
/// under its hold; and a reader whose version was replaced sees that when it ends, so that in the end one collection
/// more, which it asked for, frees all.
/// </summary>
internal sealed class HoldScenario : Scenario
{
    private const int Operations = 3;
    private const int SlotBytes = 128;
    private static readonly MachineState Nothing = MachineState.Empty(0, StoredLeaseClock.Local);

    private readonly EpochTable _pins = new();
    private readonly List<DbVersion> _versions = [];
    private readonly TestHold _hold = new();
    private Reclaimer _reclaimer = null!;
    private DbVersion _current = null!;
    private int _asked;

    public override void Prepare(Scheduler scheduler)
    {
        _reclaimer = new Reclaimer(_pins);
        _reclaimer.Holds.Add(_hold);
        _current = Make();
        scheduler.BufferStoresTo(_pins.Enter(), SlotBytes);
        _pins.Exit();
        Threads = [Read, SwitchAndCollect];
    }

    public override void Finish(Scheduler scheduler)
    {
        // The background polls for pins, and serves holds when it is woken.
        if (_reclaimer.Pending > 0 || _asked > 0) _reclaimer.FreeRetired();
        Expect(_reclaimer.Pending == 0 && _reclaimer.Held == 0, "nobody was asked to let go of what a view had held");
        foreach (var version in _versions)
            Expect(IsFreed(version) == (version != _current), "a version was kept, or the current one was not");
    }

    private static bool IsFreed(DbVersion version)
    {
        if (!version.TryAcquire()) return true;
        version.Release();
        return false;
    }

    private void Read()
    {
        for (var i = 0; i < Operations; i++)
        {
            _pins.Enter();
            var version = Volatile.Read(ref _current);
            _hold.Begin(version);
            _pins.Exit();
            Expect(!IsFreed(version), "freed before its holder got there");
            Controlled.Current!.Point("uses it", "", 0);
            Expect(!IsFreed(version), "freed under a hold");
            _hold.End();
            if (version != Volatile.Read(ref _current)) _asked++;
        }
    }

    private void SwitchAndCollect()
    {
        for (var i = 0; i < Operations; i++)
        {
            var old = _current;
            Volatile.Write(ref _current, Make());
            _reclaimer.Retire(old);
            _reclaimer.FreeRetired();
        }
    }

    private DbVersion Make()
    {
        var version = new DbVersion(new StateGeneration(Nothing, 16), [], [], Nothing);
        _versions.Add(version);
        return version;
    }

    private sealed class TestHold : Hold
    {
        public new void Begin(RefCounted resource) => base.Begin(resource);

        public new void End() => base.End();
    }
}
