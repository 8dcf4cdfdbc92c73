using FsCheck.Xunit;
using FsCheck;
using Varve.Format;
using Varve.Memtables;
using Xunit.Abstractions;
using Xunit;

namespace Varve.Tests.Engine.Memtables;

/// <summary>
/// The index agrees with a sorted dictionary of version lists, at every revision and in both directions.
/// </summary>
public class MemtableModelTests(ITestOutputHelper output)
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void NastyKeysMatchModel(int seed)
    {
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var keys = Enumerable.Range(0, 40 << (seed % 6)).Select(_ => AdversarialKeys.Next(random)).ToArray();
        Check(
            [.. Enumerable.Range(0, keys.Length * 2).Select(_ => keys[random.Next(keys.Length)])], random,
            chunk: seed % 3 == 0 ? 1 + random.Next(100) : 0);
    }

    [Property(MaxTest = 60)]
    public bool AnyKeysMatchModel(NonEmptyArray<NonEmptyArray<byte>> keys, PositiveInt seed)
    {
        output.WriteLine($"seed {seed.Get}");
        Check([.. keys.Get.Select(key => key.Get)], new Random(seed.Get), chunk: seed.Get % 2 * 7);
        return true;
    }

    [Theory]
    [InlineData("ascending", 0)]
    [InlineData("descending", 0)]
    [InlineData("random", 0)]
    [InlineData("ascending", 100)]
    [InlineData("descending", 100)]
    [InlineData("random", 100)]
    [InlineData("two runs", 0)]
    [InlineData("two runs", 33)]
    [InlineData("descending, far apart", 0)]
    [InlineData("descending, far apart", 100)]
    [InlineData("ascending text", 0)]
    [InlineData("random text", 50)]
    public void AnyInsertionOrderMatchesModel(string order, int chunk)
    {
        var random = new Random(7);
        var numbers = Enumerable.Range(0, 3000).ToArray();
        if (order.StartsWith("random", StringComparison.Ordinal)) random.Shuffle(numbers);
        if (order.StartsWith("descending", StringComparison.Ordinal)) Array.Reverse(numbers);
        if (order == "descending, far apart") numbers = [.. numbers.Select(i => i << 19)];
        if (order == "two runs") numbers = [.. numbers.Select(i => (i % 2 * 1_000_000) + i)];
        Check(
            [.. numbers.Select(i => order.EndsWith("text", StringComparison.Ordinal)
                ? System.Text.Encoding.ASCII.GetBytes($"tenant/0000/user/{i:D10}")
                : [(byte)(i >> 24), (byte)(i >> 16), (byte)(i >> 8), (byte)i])],
            random,
            chunk);
    }

    /// <summary>
    /// A block at the right end takes what its first keys share on trust. Here keys arrive that do not share it: behind
    /// it while it is the last, and later between it and what came behind.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(12)]
    [InlineData(40)]
    [InlineData(400)]
    public void KeysBeyondTrustedPrefixMatchModel(int length)
    {
        var keys = new List<string>();
        for (var tenant = 0; tenant < 6; tenant += 2)
            for (var user = 0; user < length; user++) keys.Add($"registry/tenant/{tenant:D4}/user/{user:D10}");
        foreach (var between in (string[])[
            "registry/tenant/0000/user/zero", "registry/tenant/0001", "registry/tenant/0003/user/0000000001",
            "registry/tenant/0003", "registry/u", "registry/tenant/0004/v", "registry/tenant/0002/user/"])
        {
            keys.Add(between);
            for (var more = 0; more < length; more++) keys.Add($"{between}/{more * 7919 % 1000:D3}");
        }

        foreach (var chunk in (int[])[0, 7, 100])
            Check([.. keys.Select(System.Text.Encoding.ASCII.GetBytes)], new Random(length), chunk);
    }

    /// <summary>
    /// Keys that share with many others as far as they go, so that their heads are equal over and over, to their ends
    /// and beyond.
    /// </summary>
    [Theory]
    [InlineData('a', 1)]
    [InlineData('a', 7)]
    [InlineData('\0', 1)]
    [InlineData('\0', 9)]
    public void NestedKeysMatchModel(char letter, int step)
    {
        var random = new Random(step);
        var keys = Enumerable.Range(0, 400)
            .Select(i => (byte[])[(byte)(i % 2), .. Enumerable.Repeat((byte)letter, i / 2 * step)]).ToArray();
        random.Shuffle(keys);
        foreach (var chunk in (int[])[0, 100]) Check(keys, random, chunk);
    }

    [Fact]
    public void EmptyIndexHasNoRows()
    {
        using var segment = new TestSegment(4096);
        var cursor = new MemtableCursor(segment.Index);
        Assert.False(cursor.SeekFirst());
        Assert.False(cursor.SeekLast());
        Assert.False(cursor.Seek("a"u8));
        Assert.False(cursor.SeekBefore("a"u8));
        Assert.False(cursor.IsValid);
        Assert.Equal(default, segment.Index.Find("a"u8, TestHash.Of("a"u8)));
    }

    [Fact]
    public void WrongPriorVersionIsRefused()
    {
        using var segment = new TestSegment(4096);
        var first = segment.Put("key"u8, 1);
        segment.Put("key"u8, 2);
        var stale = segment.Write("key"u8, 3, first);
        Assert.Throws<InvalidOperationException>(() => segment.Index.Insert(stale, TestHash.Of("key"u8)));
    }

    [Fact]
    public void WrongPriorVersionEndsBuild()
    {
        using var segment = new TestSegment(4096);
        var first = segment.Write("key"u8, 1, default);
        var second = segment.Write("key"u8, 2, first);
        var stale = segment.Write("key"u8, 3, first);
        using var build = new IndexBuild(segment.Index, TestHash.Hasher);
        foreach (var reference in (OperationRef[])[first, second, stale, segment.Write("other"u8, 4, default)])
            build.Add(reference);
        Assert.Equal(stale, build.Enter());
        build.Finish();
        Assert.Equal(second, segment.Index.Find("key"u8, TestHash.Of("key"u8)));
        Assert.Equal(default, segment.Index.Find("other"u8, TestHash.Of("other"u8)));
        var cursor = new MemtableCursor(segment.Index);
        Assert.True(cursor.SeekFirst());
        Assert.Equal(second, cursor.Reference);
        Assert.False(cursor.MoveNext());
    }

    [Theory]
    [InlineData(40_000)]   // all at once, sorted aside
    [InlineData(17_000)]   // what was sorted aside is not all
    public void ManyRowsAreBuiltInOrder(int enteredAtOnce)
    {
        var keys = Enumerable.Range(0, 30_000).Select(i => KeyOf(i * 7919 % 30_000)).ToArray();
        using var segment = new TestSegment(4 << 20);
        segment.Build(keys, 1, enteredAtOnce);
        AssertHolds(segment, keys);
    }

    [Fact]
    public void LargeBuildDropsRowsAfterWrongPriorVersion()
    {
        var keys = Enumerable.Range(0, 20_000).Select(KeyOf).ToArray();
        using var segment = new TestSegment(4 << 20);
        using var build = new IndexBuild(segment.Index, TestHash.Hasher);
        var references = keys.Select((key, i) => segment.Write(key, (ulong)i + 1, default)).ToArray();
        foreach (var reference in references[..^1]) build.Add(reference);
        build.Add(segment.Write(keys[0], 30_000, default));   // says that it is its key's first
        Assert.NotEqual(default, build.Enter());
        build.Add(references[^1]);
        Assert.Equal(default, build.Enter());
        build.Finish();
        AssertHolds(segment, keys);
    }

    private static byte[] KeyOf(int number) =>
        System.Text.Encoding.ASCII.GetBytes(number % 3 == 0 ? $"key-{number:D6}" : $"key-{number:D6}-and-more");

    private static void AssertHolds(TestSegment segment, byte[][] keys)
    {
        var cursor = new MemtableCursor(segment.Index);
        var found = new List<string>();
        for (var isValid = cursor.SeekFirst(); isValid; isValid = cursor.MoveNext())
            found.Add(System.Text.Encoding.ASCII.GetString(segment.KeyAt(cursor.Reference)));
        Assert.Equal(keys.Select(System.Text.Encoding.ASCII.GetString).Order(StringComparer.Ordinal), found);
    }

    [Fact]
    public void SmallestOperationsFillSegment()
    {
        using var segment = new TestSegment(1 << 20);
        var key = new byte[4];
        var index = 0;
        for (; segment.HasRoom(4); index++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(key, index * 7919);
            segment.Put(key, (ulong)index + 1);
        }

        Assert.Equal(index, segment.Index.KeyCount);
        Assert.InRange(segment.Index.BytesUsed, 1, 1 << 21);
    }

    /// <summary>By inserts; built at once; and half of it built, the rest inserted.</summary>
    private static void Check(byte[][] puts, Random random, int chunk)
    {
        Check(puts, random, chunk, built: 0);
        Check(puts, random, chunk, built: puts.Length);
        Check(puts, random, chunk, built: puts.Length / 2);
    }

    private static void Check(byte[][] puts, Random random, int chunk, int built)
    {
        using var segment = new TestSegment(64 + puts.Sum(key => key.Length + 48L));
        segment.Build(puts[..built], 1, enteredAtOnce: 1 + random.Next(puts.Length));
        var model = new SortedDictionary<byte[], List<ulong>>(KeyOrder.Instance);
        for (var i = 0; i < puts.Length; i++)
        {
            if (!model.TryGetValue(puts[i], out var versions)) model[puts[i]] = versions = [];
            versions.Add((ulong)i + 1);
            if (i < built) continue;
            if (chunk == 0) segment.Put(puts[i], (ulong)i + 1);
            else if ((i - built) % chunk == 0) segment.PutChunk([.. puts.Skip(i).Take(chunk)], (ulong)i + 1);
        }

        Assert.Equal(model.Count, segment.Index.KeyCount);
        var rows = model.ToArray();
        ulong[] revisions = [
            0, 1, (ulong)puts.Length / 2, (ulong)random.Next(puts.Length), (ulong)puts.Length, ulong.MaxValue];
        foreach (var revision in revisions) CheckRevision(segment, rows, revision, random);
        foreach (var key in rows.Select(row => row.Key).Concat(
            Enumerable.Range(0, 200).Select(_ => AdversarialKeys.Next(random))))
            CheckSeeks(segment, rows, key);
        CheckSeeks(segment, rows, []);
        CheckZigZag(segment, rows, random);
        CheckSealedWalk(segment, rows);
    }

    private static void CheckSealedWalk(TestSegment segment, KeyValuePair<byte[], List<ulong>>[] rows)
    {
        var walk = new SealedWalk(segment.Index);
        foreach (var (key, versions) in rows)
        {
            var reference = walk.Next();
            Assert.Equal(key, segment.KeyAt(reference).ToArray());
            Assert.Equal(versions[^1], segment.IndexAt(reference));
        }

        Assert.Equal(default, walk.Next());
    }

    private static void CheckRevision(
        TestSegment segment, KeyValuePair<byte[], List<ulong>>[] rows, ulong revision, Random random)
    {
        var expected = rows.Select(row => (row.Key, Version: row.Value.LastOrDefault(version => version <= revision)))
            .Where(row => row.Version != 0).ToArray();
        foreach (var row in rows)
        {
            var found = segment.Index.FindVisible(row.Key, TestHash.Of(row.Key), revision);
            Assert.Equal(
                row.Value.LastOrDefault(version => version <= revision), found.IsNone ? 0 : segment.IndexAt(found));
        }

        var absent = AdversarialKeys.Next(random);
        if (!rows.Any(row => row.Key.AsSpan().SequenceEqual(absent)))
            Assert.Equal(default, segment.Index.FindVisible(absent, TestHash.Of(absent), revision));

        var forward = new List<(byte[], ulong)>();
        var backward = new List<(byte[], ulong)>();
        var cursor = new MemtableCursor(segment.Index);
        for (var valid = cursor.SeekFirst(); valid; valid = cursor.MoveNext()) Collect(cursor, forward);
        for (var valid = cursor.SeekLast(); valid; valid = cursor.MovePrevious()) Collect(cursor, backward);
        backward.Reverse();
        Assert.Equal(
            expected.Select(row => (Convert.ToHexString(row.Key), row.Version)),
            forward.Select(row => (Convert.ToHexString(row.Item1), row.Item2)));
        Assert.Equal(
            forward.Select(row => (Convert.ToHexString(row.Item1), row.Item2)),
            backward.Select(row => (Convert.ToHexString(row.Item1), row.Item2)));

        void Collect(MemtableCursor at, List<(byte[], ulong)> into)
        {
            var visible = segment.Index.Visible(at.Reference, revision);
            if (!visible.IsNone) into.Add((segment.KeyAt(visible).ToArray(), segment.IndexAt(visible)));
        }
    }

    private static void CheckSeeks(TestSegment segment, KeyValuePair<byte[], List<ulong>>[] rows, byte[] key)
    {
        var above = Rank(rows, key);
        var cursor = new MemtableCursor(segment.Index);
        Assert.Equal(above < rows.Length, cursor.Seek(key));
        if (cursor.IsValid) Assert.Equal(rows[above].Key, segment.KeyAt(cursor.Reference).ToArray());
        if (cursor.IsValid && cursor.MovePrevious())
            Assert.Equal(rows[above - 1].Key, segment.KeyAt(cursor.Reference).ToArray());
        Assert.Equal(above > 0, cursor.SeekBefore(key));
        if (cursor.IsValid) Assert.Equal(rows[above - 1].Key, segment.KeyAt(cursor.Reference).ToArray());
        if (cursor.IsValid && cursor.MoveNext())
            Assert.Equal(rows[above].Key, segment.KeyAt(cursor.Reference).ToArray());
    }

    private static void CheckZigZag(TestSegment segment, KeyValuePair<byte[], List<ulong>>[] rows, Random random)
    {
        var cursor = new MemtableCursor(segment.Index);
        var at = random.Next(rows.Length);
        Assert.True(cursor.Seek(rows[at].Key));
        for (var step = 0; step < 500; step++)
        {
            var up = random.Next(2) == 0;
            at += up ? 1 : -1;
            var valid = up ? cursor.MoveNext() : cursor.MovePrevious();
            Assert.Equal(at >= 0 && at < rows.Length, valid);
            if (!valid) return;
            Assert.Equal(rows[at].Key, segment.KeyAt(cursor.Reference).ToArray());
        }
    }

    private static int Rank(KeyValuePair<byte[], List<ulong>>[] rows, byte[] key)
    {
        var (low, high) = (0, rows.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (KeyOrder.Instance.Compare(rows[middle].Key, key) < 0) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
