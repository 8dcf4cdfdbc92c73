using System.Reflection;
using Varve.Background;
using Varve.Epochs;
using Varve.Reading;
using Varve.Tests.Schedules.Control;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Schedules.Scenarios;

internal enum EngineDoes
{
    /// <summary>The applier closes when it is done.</summary>
    Close,

    /// <summary>It rotates, and the memtable is flushed and merged.</summary>
    Flush,
}

internal enum EngineReads
{
    Gets,
    Views,
}

/// <summary>
/// The whole engine in memory, with its two threads under control: while one thread applies and then replaces or closes
/// the state, another reads. Each answer is the state at one applied index, or that the engine is closed; at the end
/// every mapping is released.
/// </summary>
internal sealed class EngineScenario(EngineDoes does, EngineReads reads) : Scenario
{
    private const string Directory = "/db";
    private const int KeyCount = 3;
    private const int Before = 4; // entries applied before anybody reads
    private const int SlotBytes = 128;

    private static readonly byte[][] Keys = [.. Enumerable.Range(0, KeyCount).Select(
        n => new byte[] { (byte)'k', (byte)('0' + n) })];
    private static readonly FieldInfo SessionsField =
        typeof(LsmStateMachine).GetField("_sessions", BindingFlags.Instance | BindingFlags.NonPublic)!;
    private static readonly FieldInfo PinsField =
        typeof(ReadSessions).GetField("_pins", BindingFlags.Instance | BindingFlags.NonPublic)!;
    private static readonly FieldInfo SlotsField =
        typeof(EpochTable).GetField("_slots", BindingFlags.Instance | BindingFlags.NonPublic)!;

    private readonly SimFs _disk = new() { Mappings = SimMappings.Copies };
    private LsmStateMachine _machine = null!;
    private ulong _next = 1;
    private ulong _floor;

    public override void Prepare(Scheduler scheduler)
    {
        _machine = LsmStateMachine.Open(Directory, new EngineOptions
        {
            MemtableBytes = 64 << 10,
            HistoryEntries = 0,
            LeaseClock = LeaseClock.Log,
            TimeProvider = new StoppedClock(),
        }, new EngineSeams(_disk));
        for (var i = 0; i < Before; i++) Apply();
        // The slots of the first threads exist and keep their places, so that what they store may linger.
        foreach (var slot in (Array)SlotsField.GetValue(PinsField.GetValue(SessionsField.GetValue(_machine)))!)
            if (slot is not null) scheduler.BufferStoresTo(slot, SlotBytes);
        Threads = [reads == EngineReads.Gets ? Gets : Views, Disturb];
    }

    public override void Finish(Scheduler scheduler)
    {
        _machine.CloseStorage();
        Expect(_disk.LiveMappings == 0, $"{_disk.LiveMappings} mappings were never let go");
    }

    public override void Dispose()
    {
        _disk.Dispose();
        base.Dispose();
    }

    /// <summary>Entry i puts i into key i % K.</summary>
    private static ulong ValueAt(int key, ulong revision)
    {
        while (revision > 0 && (int)(revision % KeyCount) != key) revision--;
        return revision;
    }

    private static byte[] Bytes(ulong index) => [(byte)(index + 1), 7, (byte)index];

    private void Apply()
    {
        var index = _next++;
        ApplyEntry[] chunk = [new ApplyEntry(index, 1, Command.Insert(Keys[index % KeyCount], Bytes(index)), index)];
        _machine.ApplyChunk(chunk, new ApplyResult[1]);
        Volatile.Write(ref _floor, index);
    }

    private void Disturb()
    {
        Apply();
        if (does == EngineDoes.Flush) _ = _machine.CompactAsync();
        Apply();
        if (does == EngineDoes.Close) _machine.CloseStorage();
        else Apply();
    }

    private void Gets()
    {
        try
        {
            for (var i = 0; i < 4; i++)
            {
                var floor = Volatile.Read(ref _floor);
                var key = (int)(floor % KeyCount); // the newest
                var value = _machine.Get(Keys[key]);
                var ceiling = _next; // what was begun by now
                Expect(value is not null, "a get missed a key that is there");
                var seen = value![2];
                Expect(
                    seen % KeyCount == key && seen >= floor && seen <= ceiling, $"a get answered {seen} after {floor}");
                Expect(value.AsSpan().SequenceEqual(Bytes(seen)), "a get answered other bytes");
            }
        }
        catch (ObjectDisposedException) when (does == EngineDoes.Close)
        {
        }
    }

    private void Views()
    {
        try
        {
            for (var i = 0; i < 2; i++)
            {
                var floor = Volatile.Read(ref _floor);
                using var view = _machine.OpenView();
                Expect(view.Revision >= floor, "a view is older than what was published");
                Expect(
                    view.TryGet(Keys[1], out var value) && value.SequenceEqual(Bytes(ValueAt(1, view.Revision))),
                    "a get of a view is of another revision");
                var key = 0;
                foreach (var entry in i == 0 ? view.ScanPrefix("k"u8) : view.ScanPrefix("k"u8).Reversed())
                {
                    var expected = i == 0 ? key : KeyCount - 1 - key;
                    Expect(key++ < KeyCount && entry.Key.SequenceEqual(Keys[expected]), "a scan met another key");
                    Expect(
                        entry.Value.SequenceEqual(Bytes(ValueAt(expected, view.Revision))),
                        "a scan met a value of another revision");
                }

                Expect(key == KeyCount, "a scan lost a key");
            }
        }
        catch (ObjectDisposedException) when (does == EngineDoes.Close)
        {
        }
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddSeconds(1);
    }
}
