using Varve.Tests.Corruption.Golden;
using Varve.Tests.Shared;

namespace Varve.Tests.Corruption;

/// <summary>
/// Pages of 4 KiB and sectors of 512 bytes: each zeroed; a number of pairs swapped, within a file and across files.
/// </summary>
internal sealed class Pages : Damage
{
    private static readonly int[] Sizes = [4096, 512];
    private readonly List<(string Path, int Begin, int Size)> _pages = [];
    private readonly int _pairs;

    public Pages(Soak soak, GoldenDatabase golden) : base(soak, golden)
    {
        _pairs = (int)soak.Number("pairs", 100_000);
        foreach (var size in Sizes)
            foreach (var path in Truncations.AllFiles(golden.Disk))
                for (var begin = 0; begin < golden.Disk.Span(path).Length; begin += size)
                    _pages.Add((path, begin, size));
    }

    protected override int Count => _pages.Count + _pairs;

    protected override void Do(DamageWorker bench, int number)
    {
        if (number < _pages.Count)
        {
            var (path, begin, size) = _pages[number];
            var bytes = bench.Disk[path];
            var page = bytes.AsSpan(begin, Math.Min(size, bytes.Length - begin));
            if (!page.ContainsAnyExcept((byte)0)) return;
            page.Clear();
            bench.Case(
                $"zeroed {size}", NameOf(path), [path], () => bench.Disk.Put(path, bytes),
                judge => judge.OfDamage(bench.Disk));
            return;
        }

        var random = new Random((int)Soak.Seed ^ number);
        var one = _pages[random.Next(_pages.Count)];
        var other = _pages[random.Next(_pages.Count)];
        if (one.Size != other.Size || one == other
            || DamageWorker.IsOfDatabase(one.Path) != DamageWorker.IsOfDatabase(other.Path))
            return;
        var (first, second) =
            (bench.Disk[one.Path], one.Path == other.Path ? null : bench.Disk[other.Path]);
        var length = Math.Min(one.Size, Math.Min(first.Length - one.Begin, (second ?? first).Length - other.Begin));
        var from = first.AsSpan(one.Begin, length);
        var to = (second ?? first).AsSpan(other.Begin, length);
        if (from.SequenceEqual(to)) return;
        var kept = from.ToArray();
        to.CopyTo(from);
        kept.CopyTo(to);
        bench.Case(
            $"exchanged {one.Size}", second is null ? "within a file" : "across files", [one.Path, other.Path],
            () =>
            {
                bench.Disk.Put(one.Path, first);
                if (second is not null) bench.Disk.Put(other.Path, second);
            },
            judge => judge.OfDamage(bench.Disk));
    }

    private static string NameOf(string path) => DamageWorker.IsOfDatabase(path)
        ? Path.GetExtension(path) is { Length: > 0 } kind ? kind : Path.GetFileName(path)
        : "snapshot";
}
