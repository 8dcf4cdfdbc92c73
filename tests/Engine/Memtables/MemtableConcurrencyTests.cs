using Varve.Format;
using Varve.Memtables;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Engine.Memtables;

/// <summary>
/// While one thread writes, readers at a published revision see exactly the rows up to it: by key, forward, backward,
/// from any position.
/// </summary>
public class MemtableConcurrencyTests(ITestOutputHelper output)
{
    private const int Rounds = 40;
    private const int Puts = 4_000;

    /// <summary>The puts of one round, and the state that any revision must show.</summary>
    private sealed class Script
    {
        private readonly Dictionary<string, int> _rowOf = [];

        public Script(byte[][] puts)
        {
            Puts = puts;
            var versions = new SortedDictionary<byte[], List<ulong>>(KeyOrder.Instance);
            for (var i = 0; i < puts.Length; i++)
            {
                if (!versions.TryGetValue(puts[i], out var list)) versions[puts[i]] = list = [];
                list.Add((ulong)i + 1);
            }

            Keys = [.. versions.Keys];
            Versions = [.. versions.Values.Select(list => list.ToArray())];
            for (var row = 0; row < Keys.Length; row++) _rowOf[Convert.ToHexString(Keys[row])] = row;
        }

        public byte[][] Puts { get; }
        public byte[][] Keys { get; }
        public ulong[][] Versions { get; }

        public int RowOf(byte[] key) => _rowOf[Convert.ToHexString(key)];

        /// <summary>The version of a row that a revision sees; 0: none.</summary>
        public ulong VersionAt(int row, ulong revision)
        {
            var at = Array.BinarySearch(Versions[row], revision);
            if (at < 0) at = ~at - 1;
            return at < 0 ? 0 : Versions[row][at];
        }
    }

    [Theory]
    [InlineData("random", 0)]
    [InlineData("random", 64)]
    [InlineData("ascending", 0)]
    [InlineData("ascending", 64)]
    [InlineData("descending", 0)]
    [InlineData("nasty", 0)]
    [InlineData("nasty", 20)]
    [InlineData("overwrites", 64)]
    public void ReadersSeeExactlyTheirRevision(string shape, int chunk)
    {
        for (var seed = 1; seed <= Rounds; seed++)
        {
            try
            {
                Round(MakeScript(shape, seed), chunk, seed);
            }
            catch
            {
                output.WriteLine($"shape {shape}, chunk {chunk}, seed {seed}");
                throw;
            }
        }
    }

    private static Script MakeScript(string shape, int seed)
    {
        var random = new Random(seed);
        var puts = new byte[Puts][];
        for (var i = 0; i < Puts; i++)
        {
            puts[i] = shape switch
            {
                "ascending" => BigEndian(i),
                "descending" => BigEndian(Puts - i),
                "nasty" => AdversarialKeys.Next(random),
                "overwrites" => BigEndian(random.Next(60 + i / 8)),
                _ => [.. BigEndian(random.Next()), .. BigEndian(random.Next())],
            };
        }

        return new Script(puts);
    }

    private static byte[] BigEndian(int number) =>
        [(byte)(number >> 24), (byte)(number >> 16), (byte)(number >> 8), (byte)number];

    private static void Round(Script script, int chunk, int seed)
    {
        using var segment = new TestSegment(64 + script.Puts.Sum(key => key.Length + 48L));
        using var start = new Barrier(3);
        var published = 0UL;
        var failures = new Exception?[3];
        var threads = new[]
        {
            new Thread(() => Guard(0, () => Write(script, segment, chunk, ref published))),
            new Thread(() => Guard(1, () => Read(script, segment, new Random(seed * 2), ref published))),
            new Thread(() => Guard(2, () => Read(script, segment, new Random((seed * 2) + 1), ref published))),
        };
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        if (failures.FirstOrDefault(failure => failure is not null) is { } first)
            throw new AggregateException($"seed {seed}", first);

        void Guard(int thread, Action action)
        {
            try
            {
                start.SignalAndWait();
                action();
            }
            catch (Exception failure)
            {
                failures[thread] = failure;
                Volatile.Write(ref published, (ulong)script.Puts.Length);
            }
        }
    }

    private static void Write(Script script, TestSegment segment, int chunk, ref ulong published)
    {
        for (var i = 0; i < script.Puts.Length;)
        {
            if (chunk == 0)
            {
                segment.Put(script.Puts[i], (ulong)++i);
            }
            else
            {
                var keys = new ArraySegment<byte[]>(script.Puts, i, Math.Min(chunk, script.Puts.Length - i));
                segment.PutChunk(keys, (ulong)i + 1);
                i += keys.Count;
            }

            Volatile.Write(ref published, (ulong)i);
        }
    }

    private static void Read(Script script, TestSegment segment, Random random, ref ulong published)
    {
        ulong revision;
        do
        {
            revision = Volatile.Read(ref published);
            CheckGets(script, segment, random, revision);
            CheckWalk(script, segment, random, revision, forward: true);
            CheckWalk(script, segment, random, revision, forward: false);
        }
        while (revision < (ulong)script.Puts.Length);
    }

    private static void CheckGets(Script script, TestSegment segment, Random random, ulong revision)
    {
        for (var i = 0; i < 50 && revision > 0; i++)
        {
            // The newest keys are the ones that splits are about to move.
            var put = random.Next(2) == 0
                ? random.Next((int)revision)
                : (int)revision - 1 - random.Next(Math.Min(30, (int)revision));
            var key = script.Puts[put];
            var found = segment.Index.FindVisible(key, TestHash.Of(key), revision);
            Expect(!found.IsNone, "a get missed a key");
            Expect(segment.KeyAt(found).SequenceEqual(key), "a get found another key");
            Expect(
                segment.IndexAt(found) == script.VersionAt(script.RowOf(key), revision), "a get found another version");
        }
    }

    /// <summary>Walks the cursor and the script side by side over a few hundred rows, or all of them.</summary>
    private static void CheckWalk(Script script, TestSegment segment, Random random, ulong revision, bool forward)
    {
        var cursor = new MemtableCursor(segment.Index);
        var row = forward ? 0 : script.Keys.Length - 1;
        bool valid;
        if (random.Next(3) == 0)
        {
            valid = forward ? cursor.SeekFirst() : cursor.SeekLast();
        }
        else
        {
            row = random.Next(script.Keys.Length);
            valid = forward ? cursor.Seek(script.Keys[row]) : cursor.SeekBefore(script.Keys[row]);
            if (!forward) row--;
        }

        var rowsLeft = random.Next(3) == 0 ? int.MaxValue : random.Next(300);
        var before = default(OperationRef);
        for (; valid && rowsLeft > 0; rowsLeft--)
        {
            var key = segment.KeyAt(cursor.Reference);
            if (!before.IsNone)
            {
                var order = key.SequenceCompareTo(segment.KeyAt(before));
                Expect(forward ? order > 0 : order < 0, "rows are out of order or doubled");
            }

            before = cursor.Reference;
            var visible = segment.Index.Visible(cursor.Reference, revision);
            if (!visible.IsNone)
            {
                SkipUnborn();
                Expect((uint)row < (uint)script.Keys.Length, "a walk found a row too many");
                Expect(key.SequenceEqual(script.Keys[row]), "a walk missed a row");
                Expect(segment.IndexAt(visible) == script.VersionAt(row, revision), "a walk found another version");
                row += forward ? 1 : -1;
            }

            valid = forward ? cursor.MoveNext() : cursor.MovePrevious();
        }

        if (valid) return;
        SkipUnborn();
        Expect(row == (forward ? script.Keys.Length : -1), "a walk ended early");

        void SkipUnborn()
        {
            while ((uint)row < (uint)script.Keys.Length && script.VersionAt(row, revision) == 0)
                row += forward ? 1 : -1;
        }
    }

    private static void Expect(bool condition, string what)
    {
        if (!condition) throw new InvalidOperationException(what);
    }
}
