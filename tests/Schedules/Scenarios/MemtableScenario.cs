using Varve.Memtables;
using Varve.Tests.Engine.Memtables;
using Varve.Tests.Schedules.Control;

namespace Varve.Tests.Schedules.Scenarios;

internal enum MemtableReads
{
    Forward,
    Backward,
    Seek,
}

/// <summary>
/// A memtable with full blocks: the first insert splits one, the next ones fill the halves and overwrite, each
/// published afterwards. A reader at the published revision must find exactly its rows, by key and in order.
/// </summary>
internal sealed class MemtableScenario(MemtableReads reads, bool ascending = false, int blocks = 1) : Scenario
{
    private const int Operations = 4;
    private const int RowsPerBlock = 12;

    // Between the old keys: into both halves, one right at the cut; or behind them.
    private static readonly int[] Between = [11, 13, 10, 23];
    private static readonly int[] Behind = [100, 101, 102, 103];

    private readonly SortedDictionary<int, ulong[]> _versions = [];
    private readonly int _prefilled = blocks * RowsPerBlock;
    private TestSegment _segment = null!;
    private ulong _published = (ulong)(blocks * RowsPerBlock);

    public override void Prepare(Scheduler scheduler)
    {
        _segment = new TestSegment(8192);
        for (var n = 0; n < _prefilled; n++) Put(n * 2, (ulong)n + 1);
        var puts = ascending ? Behind : Between;
        for (var i = 0; i < Operations; i++) Note(puts[i], (ulong)(_prefilled + 1 + i));
        Threads = [() => Write(puts), Read];
    }

    public override void Dispose()
    {
        _segment.Dispose();
        base.Dispose();
    }

    private static byte[] Key(int n) => [(byte)'k', (byte)'e', (byte)'y', (byte)(n + 1)];

    private void Note(int key, ulong index) =>
        _versions[key] = _versions.TryGetValue(key, out var older) ? [.. older, index] : [index];

    private void Put(int key, ulong index)
    {
        Note(key, index);
        _segment.Put(Key(key), index);
    }

    private void Write(int[] puts)
    {
        for (var i = 0; i < puts.Length; i++)
        {
            _segment.Put(Key(puts[i]), (ulong)(_prefilled + 1 + i));
            Volatile.Write(ref _published, (ulong)(_prefilled + 1 + i));
        }
    }

    private void Read()
    {
        var revision = Volatile.Read(ref _published);
        for (var i = 0; i < Operations; i++)
        {
            switch (reads)
            {
                case MemtableReads.Forward:
                    Walk(revision, forward: true);
                    revision = Volatile.Read(ref _published);
                    i++; // a walk is worth two
                    break;
                case MemtableReads.Backward:
                    Walk(revision, forward: false);
                    revision = Volatile.Read(ref _published);
                    i++;
                    break;
                default:
                    Seek(i, revision);
                    break;
            }
        }
    }

    private ulong VersionAt(int key, ulong revision) => _versions[key].LastOrDefault(index => index <= revision);

    private void Walk(ulong revision, bool forward)
    {
        var cursor = new MemtableCursor(_segment.Index);
        var found = new List<int>();
        var last = forward ? 0 : int.MaxValue;
        for (var valid = forward ? cursor.SeekFirst() : cursor.SeekLast(); valid;
            valid = forward ? cursor.MoveNext() : cursor.MovePrevious())
        {
            var key = _segment.KeyAt(cursor.Reference)[3];
            Expect(forward ? key > last : key < last, "rows are out of order or doubled");
            last = key;
            var visible = _segment.Index.Visible(cursor.Reference, revision);
            if (visible.IsNone) continue;
            found.Add(key - 1);
            Expect(_segment.IndexAt(visible) == VersionAt(key - 1, revision), "another version");
        }

        if (!forward) found.Reverse();
        Expect(
            found.SequenceEqual(_versions.Keys.Where(key => VersionAt(key, revision) != 0)),
            "a row is missing, or one too many is there");
    }

    private void Seek(int i, ulong revision)
    {
        var cursor = new MemtableCursor(_segment.Index);
        var keys = _versions.Keys.Where(key => VersionAt(key, revision) != 0).ToList();
        var wanted = i switch { 0 => 11, 1 => 12, 2 => 13, _ => 23 };
        if (i % 2 == 0)
        {
            var valid = cursor.Seek(Key(wanted));
            while (valid && _segment.Index.Visible(cursor.Reference, revision).IsNone) valid = cursor.MoveNext();
            var expected = keys.Where(key => key >= wanted).DefaultIfEmpty(-1).First();
            Expect((valid ? _segment.KeyAt(cursor.Reference)[3] - 1 : -1) == expected, "a seek went elsewhere");
        }
        else
        {
            var valid = cursor.SeekBefore(Key(wanted));
            while (valid && _segment.Index.Visible(cursor.Reference, revision).IsNone) valid = cursor.MovePrevious();
            var expected = keys.Where(key => key < wanted).DefaultIfEmpty(-1).Last();
            Expect((valid ? _segment.KeyAt(cursor.Reference)[3] - 1 : -1) == expected, "a seek before went elsewhere");
        }

        var newest = _versions.Single(row => row.Value.Contains(revision)).Key;
        var bytes = Key(newest);
        Expect(_segment.Index.FindVisible(bytes, TestHash.Of(bytes), revision) is { IsNone: false } found
            && _segment.IndexAt(found) == revision, "a get missed the newest key");
    }
}
