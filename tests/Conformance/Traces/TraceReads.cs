using System.Buffers;

namespace Varve.Tests.Conformance.Traces;

/// <summary>Every way of reading, compared with the model's one.</summary>
internal static class TraceReads
{
    public static void SameScan(ScanResult expected, ScanResult actual)
    {
        Assert.Equal(expected.Revision, actual.Revision);
        Same(expected.Entries, actual.Entries);
    }

    private static void Same(IReadOnlyList<KeyValueEntry> expected, IReadOnlyList<KeyValueEntry> actual)
    {
        for (var i = 0; i < Math.Min(expected.Count, actual.Count); i++)
        {
            if (!expected[i].Key.Span.SequenceEqual(actual[i].Key.Span))
                Assert.Fail($"Entry {i}: expected key {Hex(expected[i].Key)}, got {Hex(actual[i].Key)}");
            if (!expected[i].Value.Span.SequenceEqual(actual[i].Value.Span))
                Assert.Fail(
                    $"Key {Hex(expected[i].Key)}: expected {Hex(expected[i].Value)}, got {Hex(actual[i].Value)}");
            if (expected[i].LeaseDeadlineMs != actual[i].LeaseDeadlineMs)
                Assert.Fail(
                    $"Key {Hex(expected[i].Key)}: expected the deadline {expected[i].LeaseDeadlineMs}, "
                    + $"got {actual[i].LeaseDeadlineMs}");
        }
        Assert.Equal(expected.Count, actual.Count);
    }

    private static string Hex(ReadOnlyMemory<byte> bytes) =>
        bytes.Length <= 40
            ? Convert.ToHexString(bytes.Span)
            : $"{Convert.ToHexString(bytes.Span[..16])}... ({bytes.Length} bytes)";

    public static void Compare(IStateMachine subject, IStateMachine model, int seed)
    {
        var random = new Random(seed);
        var keys = Enumerable.Range(0, 12)
            .Select(_ => (ReadOnlyMemory<byte>)Universe.Key(random.Next(Universe.Keys))).ToArray();
        Assert.Equal(model.GetMulti(keys), subject.GetMulti(keys));
        var many = Enumerable.Range(0, random.Next(100))
            .Select(_ => (ReadOnlyMemory<byte>)Universe.Key(random.Next(Universe.Keys))).ToList();
        Assert.Equal(model.GetMulti(many), subject.GetMulti(many));
        foreach (var key in keys)
        {
            var expected = model.Get(key.Span);
            Assert.Equal(expected, subject.Get(key.Span));
            if (subject is LsmStateMachine engine) CompareGets(engine, key.Span, expected, random);
        }
        byte[] absent = [.. Universe.Key(seed & 0xFF), 0];
        Assert.Null(subject.Get(absent));
    }

    private static void CompareGets(LsmStateMachine engine, ReadOnlySpan<byte> key, byte[]? expected, Random random)
    {
        var writer = new ArrayBufferWriter<byte>();
        Assert.Equal(expected is not null, engine.TryGet(key, writer));
        Assert.True(writer.WrittenSpan.SequenceEqual(expected));

        var room = new byte[random.Next(0, 60)];
        Assert.Equal(expected?.Length ?? -1, engine.Read(key, room));
        var copied = Math.Min(room.Length, expected?.Length ?? 0);
        Assert.True(room.AsSpan(0, copied).SequenceEqual(expected.AsSpan(0, copied)));

        using var view = engine.OpenView();
        Assert.Equal(expected is not null, view.TryGet(key, out var value));
        Assert.True(value.SequenceEqual(expected));
        Assert.Equal(expected is not null, view.TryGet(key, out value, out var deadline));
        Assert.True(value.SequenceEqual(expected));
        foreach (var entry in view.ScanRange(key, [.. key, 0])) Assert.Equal(deadline, entry.LeaseDeadlineMs);
        if (expected is null) Assert.Null(deadline);
    }

    public static void CompareScans(IStateMachine subject, IStateMachine model, Operation operation)
    {
        var prefix = Universe.Prefix(operation.A);
        var expected = model.ScanPrefix(prefix);
        SameScan(expected, subject.ScanPrefix(prefix));
        ComparePages(subject, model, prefix, operation);
        if (subject is not LsmStateMachine engine) return;

        var all = model.ScanPrefix([]).Entries;
        byte[] from = operation.B % 4 == 0 ? [] : Universe.Key(operation.B);
        byte[] to = operation.C % 4 == 0 ? [] : Universe.Key(operation.C);
        var range = all.Where(entry => entry.Key.Span.SequenceCompareTo(from) >= 0
            && (to.Length == 0 || entry.Key.Span.SequenceCompareTo(to) < 0)).ToList();

        using var view = engine.OpenView();
        Assert.Equal(expected.Revision, view.Revision);
        Same(expected.Entries, Collect(view.ScanPrefix(prefix)));
        Same([.. expected.Entries.Reverse()], Collect(view.ScanPrefix(prefix).Reversed()));
        Same(range, Collect(view.ScanRange(from, to)));
        Same([.. Enumerable.Reverse(range)], Collect(view.ScanRange(from, to).Reversed()));
        CompareSeeks(view.ScanRange(from, to), range, new Random(operation.A), isReversed: operation.B % 2 == 0);
    }

    /// <summary>Pages from the beginning, and one after a key that may be anywhere.</summary>
    private static void ComparePages(
        IStateMachine subject, IStateMachine model, ReadOnlySpan<byte> prefix, Operation operation)
    {
        var limit = 1 + (operation.B % 7);
        byte[] after = operation.C % 3 == 0 ? [.. Universe.Key(operation.C), 0] : Universe.Key(operation.C);
        SamePage(model.ScanPage(prefix, after, limit), subject.ScanPage(prefix, after, limit));
        var page = subject.ScanPage(prefix, [], limit);
        SamePage(model.ScanPage(prefix, [], limit), page);
        while (!page.Continuation.IsEmpty)
        {
            var next = page.Continuation.Span;
            page = subject.ScanPage(prefix, next, limit);
            SamePage(model.ScanPage(prefix, next, limit), page);
        }
    }

    private static void SamePage(ScanPage expected, ScanPage actual)
    {
        Assert.Equal(expected.Revision, actual.Revision);
        Same(expected.Entries, actual.Entries);
        Assert.Equal(expected.Continuation.ToArray(), actual.Continuation.ToArray());
    }

    /// <summary>Steps a scan at random, now and then to a key, and compares each entry with a plain list's.</summary>
    /// <param name="scan">The scan, not yet moved.</param>
    /// <param name="entries">What it has, in ascending order.</param>
    /// <param name="random">Chooses the steps.</param>
    /// <param name="isReversed">Reverses the scan first.</param>
    public static void CompareSeeks(
        ScanEnumerator scan, IReadOnlyList<KeyValueEntry> entries, Random random, bool isReversed)
    {
        if (isReversed) scan = scan.Reversed();
        var (at, isSought, isOver) = (isReversed ? entries.Count : -1, false, false); // where the scan stands
        for (var steps = random.Next(40); steps > 0; steps--)
        {
            if (random.Next(4) == 0)
            {
                byte[] key = random.Next(8) == 0 ? [] : [.. Universe.Key(random.Next(Universe.Keys))];
                if (random.Next(3) == 0) key = [.. key, (byte)random.Next(2)];
                if (isOver)
                {
                    AssertEnded(scan, key);
                    continue;
                }

                scan.Seek(key);
                isSought = true;
                var below = entries.Count(entry => entry.Key.Span.SequenceCompareTo(key) < 0);
                var upTo = entries.Count(entry => entry.Key.Span.SequenceCompareTo(key) <= 0);
                at = isReversed ? upTo : below - 1;
                continue;
            }

            at = Math.Clamp(at + (isReversed ? -1 : 1), -1, entries.Count);
            var isAny = at >= 0 && at < entries.Count;
            Assert.Equal(isAny, scan.MoveNext());
            if (isAny) Same([entries[at]], [CopyOf(scan.Current)]);
            else isOver = !isSought;
        }

        scan.Dispose();
    }

    private static void AssertEnded(ScanEnumerator scan, byte[] key)
    {
        try
        {
            scan.Seek(key);
        }
        catch (InvalidOperationException)
        {
            return;
        }

        Assert.Fail("An ended scan was moved.");
    }

    public static List<KeyValueEntry> Collect(ScanEnumerator scan)
    {
        var entries = new List<KeyValueEntry>();
        foreach (var entry in scan) entries.Add(CopyOf(entry));
        return entries;
    }

    private static KeyValueEntry CopyOf(EntryView entry) =>
        new(entry.Key.ToArray(), entry.Value.ToArray()) { LeaseDeadlineMs = entry.LeaseDeadlineMs };
}
