namespace Varve.Tests.Conformance.Rules;

/// <summary>Reads see everything applied, in unsigned byte order, at one revision.</summary>
public abstract class ReadRules<TFactory> : MachineTest<TFactory> where TFactory : IMachineFactory, new()
{
    private static ApplyEntry Raw(ulong index, byte[] key, byte[] value) => new(index, 1, Command.Insert(key, value));

    [Fact]
    public async Task GetReturnsCopy()
    {
        await ApplyAsync(Put(1, "a", "1"));
        var copy = Machine.Get(Bytes("a"))!;
        copy[0] = (byte)'9';
        Assert.Equal("1", Get("a"));
    }

    [Fact]
    public async Task AbsentKeyIsNullAndEmptyValueIsNot()
    {
        await ApplyAsync(Put(1, "a", ""));
        Assert.Null(Machine.Get(Bytes("b")));
        Assert.Equal([], Machine.Get(Bytes("a"))!);
        Assert.Equal(1, Machine.Count);
    }

    [Fact]
    public async Task GetMultiAnswersInRequestOrder()
    {
        await ApplyAsync(Put(1, "a", "1"), Put(2, "b", "2"));
        Assert.Equal(
            [Bytes("2"), null, Bytes("1"), Bytes("2")],
            Machine.GetMulti([Bytes("b"), Bytes("x"), Bytes("a"), Bytes("b")]));
        Assert.Empty(Machine.GetMulti([]));
    }

    [Fact]
    public async Task KeysAreOrderedByUnsignedBytesShorterFirst()
    {
        byte[][] keys = [
            [0], [0, 0], [0, 1], [1], [0x7F], [0x7F, 0xFF], [0x80], [0xFE, 0xFF], [0xFF], [0xFF, 0], [0xFF, 0xFF],
            [0xFF, 0xFF, 0xFF]];
        var order = Enumerable.Range(0, keys.Length).ToArray();
        new Random(5).Shuffle(order);
        await Machine.ApplyChunkAsync(order.Select((k, i) => Raw((ulong)i + 1, keys[k], keys[k])).ToArray());
        Assert.Equal(keys, Machine.ScanPrefix([]).Entries.Select(entry => entry.Key.ToArray()));
        Assert.All(Machine.ScanPrefix([]).Entries, entry => Assert.Equal(entry.Key.ToArray(), entry.Value.ToArray()));
    }

    [Fact]
    public async Task PrefixOfHighBytesEndsCorrectly()
    {
        byte[][] keys = [[0xFE, 0xFF], [0xFF], [0xFF, 0x10], [0xFF, 0xFF], [0xFF, 0xFF, 1]];
        await Machine.ApplyChunkAsync(keys.Select((key, i) => Raw((ulong)i + 1, key, [])).ToArray());
        Assert.Equal(keys[1..], Machine.ScanPrefix([0xFF]).Entries.Select(entry => entry.Key.ToArray()));
        Assert.Equal(keys[3..], Machine.ScanPrefix([0xFF, 0xFF]).Entries.Select(entry => entry.Key.ToArray()));
        Assert.Equal(keys[..1], Machine.ScanPrefix([0xFE]).Entries.Select(entry => entry.Key.ToArray()));
    }

    [Fact]
    public async Task PrefixScanReturnsItsKeysOnly()
    {
        await ApplyAsync(
            Put(1, "pkg", "0"), Put(2, "pkg/a", "1"), Put(3, "pkg/b", "2"), Put(4, "pkh", "3"), Put(5, "pk", "4"),
            Put(6, "pkg/", "5"), Put(7, "pkg0", "6"));
        Assert.Equal("pkg/=5 pkg/a=1 pkg/b=2", Scan("pkg/"));
        Assert.Equal("", Scan("pkg/c"));
        Assert.Equal("", Scan("pkg/aa"));
        Assert.Equal("", Scan("z"));
        Assert.Equal(7, Machine.ScanPrefix([]).Entries.Count);
    }

    [Fact]
    public async Task ScanCarriesRevisionOfItsData()
    {
        await ApplyAsync(Put(1, "a", "1"));
        Assert.Equal(1UL, Machine.ScanPrefix(Bytes("nothing")).Revision);
        await ApplyAsync(Noop(2), Noop(3));
        Assert.Equal(3UL, Machine.ScanPrefix([]).Revision);
    }

    [Fact]
    public async Task CountIsExactThroughEveryChange()
    {
        await ApplyAsync(Put(1, "a", "1"), Put(2, "a", "2"), Put(3, "b", "1"));
        Assert.Equal(2, Machine.Count);
        Machine.Flush();
        await ApplyAsync(Put(4, "a", "3"), Delete(5, "b"), Delete(6, "c"));
        Assert.Equal(1, Machine.Count);
        await ReopenAsync();
        Assert.Equal(1, Machine.Count);
        await ApplyAsync(Delete(7, "a"), Swap(8, "a", null, "x"), Swap(9, "a", null, "y"));
        Assert.Equal(1, Machine.Count);
        Assert.False(Machine.IsEmpty);
        await ApplyAsync(Delete(10, "a"));
        Assert.True(Machine.IsEmpty);
    }

    [Fact]
    public async Task OverwritesAcrossFlushesLeaveOneValue()
    {
        ulong index = 0;
        for (var round = 0; round < 40; round++)
        {
            var chunk = Enumerable.Range(0, 100).Select(k => k % 10 == round % 10
                ? Delete(++index, $"key{k:d3}")
                : Put(++index, $"key{k:d3}", $"{round}:{new string('x', 50)}")).ToArray();
            await ApplyAsync(chunk);
            if (round % 5 == 0) await Machine.FlushAsync();
        }
        Assert.Equal(90, Machine.Count);
        var expected = string.Join(
            ' ', Enumerable.Range(0, 100).Where(k => k % 10 != 9).Select(k => $"key{k:d3}=39:{new string('x', 50)}"));
        Assert.Equal(expected, Scan("key"));
        await ReopenAsync();
        Assert.Equal(expected, Scan());
    }

    [Fact]
    public async Task PagesGiveEachKeyOfPrefixOnceInOrder()
    {
        await ApplyAsync(
            Put(1, "a/1", "1"), Put(2, "a/2", "2"), Put(3, "a/3", "3"), Put(4, "a/4", "4"), Put(5, "b", "5"),
            Put(6, "a", "6"), Delete(7, "a/3"));
        var first = Machine.ScanPage(Bytes("a/"), [], 2);
        Assert.Equal("a/1=1 a/2=2", TextOf(first));
        Assert.Equal(7UL, first.Revision);
        Assert.Equal(Bytes("a/2"), first.Continuation.ToArray());
        var second = Machine.ScanPage(Bytes("a/"), first.Continuation.Span, 2);
        Assert.Equal("a/4=4", TextOf(second));
        Assert.True(second.Continuation.IsEmpty);
    }

    [Fact]
    public async Task FullPageWithoutFurtherEntryHasNoContinuation()
    {
        await ApplyAsync(Put(1, "a1", "1"), Put(2, "a2", "2"), Put(3, "b", "3"), Put(4, "a3", "4"), Delete(5, "a3"));
        var page = Machine.ScanPage(Bytes("a"), [], 2);
        Assert.Equal("a1=1 a2=2", TextOf(page));
        Assert.True(page.Continuation.IsEmpty);
        Assert.Equal("a1=1 a2=2 b=3", TextOf(Machine.ScanPage([], [], int.MaxValue)));
    }

    [Fact]
    public async Task PageBeginsAfterAnyKey()
    {
        await ApplyAsync(Put(1, "b1", "1"), Put(2, "b2", "2"), Put(3, "c", "3"));
        Assert.Equal("b1=1 b2=2", TextOf(Machine.ScanPage(Bytes("b"), Bytes("a"), 9)));
        Assert.Equal("b1=1 b2=2", TextOf(Machine.ScanPage(Bytes("b"), Bytes("b"), 9)));
        Assert.Equal("b2=2", TextOf(Machine.ScanPage(Bytes("b"), Bytes("b1"), 9)));
        Assert.Equal("b2=2", TextOf(Machine.ScanPage(Bytes("b"), Bytes("b11"), 9)));
        Assert.Equal("", TextOf(Machine.ScanPage(Bytes("b"), Bytes("b2"), 9)));
        Assert.Equal("", TextOf(Machine.ScanPage(Bytes("b"), Bytes("c"), 9)));
        Assert.Equal("", TextOf(Machine.ScanPage(Bytes("x"), [], 9)));
    }

    [Fact]
    public void PageWithoutEntriesIsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Machine.ScanPage([], [], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Machine.ScanPage([], [], -1));
    }

    [Fact]
    public async Task EntriesHaveDeadlinesOfTheirLeases()
    {
        await ApplyAsync(Put(1, "a", "1", ttl: 60), Put(2, "b", "2"), Put(3, "c", "3", ttl: 5));
        var now = (ulong)Clock.GetUtcNow().ToUnixTimeMilliseconds();
        Assert.Equal(
            [now + 60_000, null, now + 5_000],
            Machine.ScanPrefix([]).Entries.Select(entry => entry.LeaseDeadlineMs));
        Clock.Advance(TimeSpan.FromSeconds(5));
        var page = Machine.ScanPage([], [], 2);
        Assert.Equal([now + 60_000, null], page.Entries.Select(entry => entry.LeaseDeadlineMs));
        Assert.True(page.Continuation.IsEmpty);
    }

    [Fact]
    public async Task PrefixesMayBeText()
    {
        await ApplyAsync(Put(1, "a/1", "1"), Put(2, "a/2", "2"), Put(3, "b", "3"));
        Assert.Equal(Machine.ScanPrefix(Bytes("a/")), Machine.ScanPrefix("a/"));
        var page = Machine.ScanPage("a/", default, 1);
        Assert.Equal("a/1=1", TextOf(page));
        Assert.Equal("a/2=2", TextOf(Machine.ScanPage("a/", page.Continuation, 1)));
    }

    private static string TextOf(ScanPage page) =>
        string.Join(' ', page.Entries.Select(entry => $"{entry.GetKeyString()}={entry.GetValueString()}"));

    [Fact]
    public async Task EmptyKeyLookupFindsNothingOrThrows()
    {
        await ApplyAsync(Put(1, "a", "1"));
        try
        {
            Assert.Null(Machine.Get([]));
        }
        catch (ArgumentException)
        {
            // Either is a clear answer; a crash or a value is not.
        }
    }
}
