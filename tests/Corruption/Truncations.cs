using Varve.Tests.Corruption.Golden;
using Varve.Tests.Shared;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Corruption;

/// <summary>
/// Every file truncated at every byte, or at one of every N and at the first and last ones; and every file with bytes
/// after its end.
/// </summary>
internal sealed class Truncations : Damage
{
    private const int Batch = 256;
    private static readonly int[] Extensions = [1, 7, 8, 96, 512, 4096, 65536];
    private readonly List<(string Path, long Begin)> _batches = [];
    private readonly int _every;

    public Truncations(Soak soak, GoldenDatabase golden) : base(soak, golden)
    {
        _every = (int)soak.Number("every", 1);
        foreach (var path in AllFiles(golden.Disk))
            for (long begin = 0; begin <= golden.Disk.Span(path).Length; begin += Batch) _batches.Add((path, begin));
    }

    protected override int Count => _batches.Count;

    public static IEnumerable<string> AllFiles(SimFs disk) =>
        [.. disk.Files(GoldenDatabase.Directory).Where(path => disk.Span(path).Length > 0), .. disk.Files(
            GoldenDatabase.SnapshotDirectory), GoldenDatabase.PackedSnapshot];

    protected override void Do(DamageWorker bench, int number)
    {
        var (path, begin) = _batches[number];
        var bytes = Golden.Disk[path];
        var random = new Random((int)Soak.Seed ^ number);
        var kind = Path.GetExtension(path);
        var name = !DamageWorker.IsOfDatabase(path)
            ? "snapshot " + kind
            : kind.Length == 0 ? Path.GetFileName(path) : kind;
        for (var length = begin; length < Math.Min(bytes.Length, begin + Batch); length++)
        {
            if (_every > 1 && random.Next(_every) != 0 && length is not 0 && length != bytes.Length - 1) continue;
            bench.Case(
                "cut off", name, [path], () => bench.Disk.Put(path, bytes.AsSpan(0, (int)length)),
                judge => judge.OfLength(bench.Disk, path, isLonger: false));
        }

        if (begin != 0) return;
        foreach (var more in Extensions)
        {
            var garbage = new byte[more];
            bench.Case(
                "zeros after", name, [path], () => bench.Disk.Put(path, [.. bytes, .. garbage]),
                judge => judge.OfLength(bench.Disk, path, isLonger: true));
            random.NextBytes(garbage);
            bench.Case(
                "garbage after", name, [path], () => bench.Disk.Put(path, [.. bytes, .. garbage]),
                judge => judge.OfLength(bench.Disk, path, isLonger: true));
        }
    }
}
