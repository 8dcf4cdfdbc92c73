namespace Varve.Tests.Conformance.Stress;

/// <summary>Counts the times that revisions may run backward; odd while it is happening.</summary>
internal sealed class Epoch
{
    private int _value;

    public int Now => Volatile.Read(ref _value);

    public void Turn() => Interlocked.Increment(ref _value);
}

/// <summary>
/// Reads a ledger in every way until the machine is closed, and verifies each answer against one revision.
/// </summary>
internal sealed class LedgerReader(IStateMachine machine, Epoch epoch, int seed)
{
    private readonly Random _random = new(seed);
    private ulong _seen;
    private int _seenIn;

    public long Reads { get; private set; }

    /// <summary>
    /// Returns when the machine says that it is closed; throws on a wrong answer or any other failure.
    /// </summary>
    public void Run()
    {
        try
        {
            for (; ; Reads++)
            {
                switch (_random.Next(machine is LsmStateMachine ? 6 : 3))
                {
                    case 0: Get(); break;
                    case 1: GetMulti(); break;
                    case 2: Scan(); break;
                    default: View((LsmStateMachine)machine); break;
                }
            }
        }
        catch (ObjectDisposedException)
        {
            // The end of every run.
        }
    }

    private void Get() => Together([_random.Next(Ledger.Keys)], keys => [machine.Get(Ledger.Key(keys[0]))]);

    private void GetMulti() =>
        Together([.. Enumerable.Range(0, 5).Select(_ => _random.Next(Ledger.Keys))],
            keys => machine.GetMulti([.. keys.Select(k => (ReadOnlyMemory<byte>)Ledger.Key(k))]));

    private void Together(int[] keys, Func<int[], byte[]?[]> read)
    {
        var before = epoch.Now;
        var lowest = machine.LastApplied.Index;
        var values = read(keys);
        var highest = machine.LastApplied.Index;
        if (before % 2 == 0 && before == epoch.Now) Ledger.VerifyTogether(keys, values, lowest, highest);
    }

    private void Scan()
    {
        var before = epoch.Now;
        var scan = machine.ScanPrefix(Ledger.Prefix);
        Advanced(before, scan.Revision);
        Ledger.Verify(scan.Revision, scan.Entries);
    }

    private void View(LsmStateMachine engine)
    {
        var before = epoch.Now;
        using var view = engine.OpenView();
        Advanced(before, view.Revision);
        var entries = Collect(_random.Next(2) == 0 ? view.ScanPrefix(Ledger.Prefix) : view.ScanRange([], []));
        Ledger.Verify(view.Revision, entries);
        for (var i = 0; i < 8; i++)
        {
            var k = _random.Next(Ledger.Keys);
            var writer = Ledger.Writer(k, view.Revision);
            if (view.TryGet(Ledger.Key(k), out var value) != (writer != 0))
                throw new InvalidDataException(
                    $"Revision {view.Revision}: key {k} is there when it should not be, or the reverse");
            if (writer != 0) Ledger.VerifyValue(k, writer, value);
        }
        var reversed = Collect(view.ScanPrefix(Ledger.Prefix).Reversed());
        reversed.Reverse();
        Ledger.Verify(view.Revision, reversed);
    }

    private static List<KeyValueEntry> Collect(ScanEnumerator scan)
    {
        var entries = new List<KeyValueEntry>();
        foreach (var entry in scan)
            entries.Add(new KeyValueEntry(entry.Key.ToArray(), entry.Value.ToArray()));
        return entries;
    }

    /// <summary>Within an epoch a thread never sees an older revision than it saw.</summary>
    private void Advanced(int before, ulong revision)
    {
        if (before % 2 != 0 || before != epoch.Now) return;
        if (before == _seenIn && revision < _seen) throw new InvalidDataException($"Revision {revision} after {_seen}");
        (_seen, _seenIn) = (revision, before);
    }
}
