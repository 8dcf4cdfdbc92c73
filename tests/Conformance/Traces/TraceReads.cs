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
    }

    public static void CompareScans(IStateMachine subject, IStateMachine model, Operation operation)
    {
        var prefix = Universe.Prefix(operation.A);
        var expected = model.ScanPrefix(prefix);
        SameScan(expected, subject.ScanPrefix(prefix));
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
    }

    private static List<KeyValueEntry> Collect(ScanEnumerator scan)
    {
        var entries = new List<KeyValueEntry>();
        foreach (var entry in scan)
            entries.Add(new KeyValueEntry(entry.Key.ToArray(), entry.Value.ToArray()));
        return entries;
    }
}
