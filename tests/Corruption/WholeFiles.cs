using Varve.Storage;
using Varve.Tests.Corruption.Golden;
using Varve.Tests.Shared;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Corruption;

/// <summary>
/// Damages whole files: each one removed, swapped with each other, replaced by its namesake of another database or of
/// an earlier time, restored after the database dropped it, and a segment under another number.
/// </summary>
internal sealed class WholeFiles : Damage
{
    private readonly List<Action<DamageWorker>> _cases = [];
    private readonly GoldenDatabase _stranger;

    public WholeFiles(Soak soak, GoldenDatabase golden, GoldenDatabase stranger) : base(soak, golden)
    {
        _stranger = stranger;
        var files = Truncations.AllFiles(golden.Disk).ToArray();
        foreach (var path in files) AddMissing(path);
        foreach (var path in files.Where(path => stranger.Disk.FileExists(path))) AddStranger(path);
        foreach (var one in files)
            foreach (var other in files.Where(
                other => string.CompareOrdinal(one, other) < 0
                    && DamageWorker.IsOfDatabase(one) == DamageWorker.IsOfDatabase(other)))
                AddExchange(one, other);
        foreach (var (when, disk, _) in golden.Earlier) AddEarlier(when, disk);
        foreach (var path in files.Where(path => path.EndsWith(FileNames.SegmentSuffix, StringComparison.Ordinal)))
            AddDuplicate(path);
    }

    protected override int Count => _cases.Count;

    protected override void Do(DamageWorker bench, int number) => _cases[number](bench);

    private void AddMissing(string path) => _cases.Add(bench => bench.Case(
        "missing", NameOf(path), [path], () => bench.Disk.Delete(path), judge => judge.OfMissing(bench.Disk, path)));

    private void AddStranger(string path) => _cases.Add(bench => bench.Case(
        "of another database", NameOf(path), [path], () => bench.Disk.Put(path, _stranger.Disk.Span(path)),
        judge => judge.OfStrangers(bench.Disk, path)));

    private void AddExchange(string one, string other) => _cases.Add(bench => bench.Case(
        "exchanged", $"{NameOf(one)} {NameOf(other)}", [one, other],
        () =>
        {
            bench.Disk.Put(one, Golden.Disk.Span(other));
            bench.Disk.Put(other, Golden.Disk.Span(one));
        },
        judge => judge.OfStrangers(bench.Disk, one, other)));

    private void AddEarlier(string when, SimFs earlier)
    {
        foreach (var path in earlier.Files(GoldenDatabase.Directory))
        {
            if (!Golden.Disk.FileExists(path))
            {
                _cases.Add(bench => bench.Case(
                    "back again " + when, NameOf(path), [path], () => bench.Disk.Put(path, earlier.Span(path)),
                    judge => judge.OfDamage(bench.Disk)));
            }
            else if (!earlier.Span(path).SequenceEqual(Golden.Disk.Span(path)))
            {
                _cases.Add(bench => bench.Case(
                    "as it was " + when, NameOf(path), [path], () => bench.Disk.Put(path, earlier.Span(path)),
                    judge => judge.OfDamage(bench.Disk)));
            }
        }
    }

    private void AddDuplicate(string path)
    {
        FileNames.TryParse(Path.GetFileName(path), FileNames.SegmentSuffix, out var number);
        foreach (var other in (ReadOnlySpan<ulong>)[1, number + 100])
        {
            var copy = Path.Combine(GoldenDatabase.Directory, FileNames.Segment(other));
            _cases.Add(bench => bench.Case(
                "under another number",
                other == 1 ? "below the first one needed" : "above",
                [copy],
                () => bench.Disk.Put(copy, Golden.Disk.Span(path)),
                judge => other == 1 ? judge.OfDamage(bench.Disk) : judge.OfStrangers(bench.Disk, copy)));
        }
    }

    private static string NameOf(string path) => (DamageWorker.IsOfDatabase(path) ? "" : "snapshot ")
        + (Path.GetExtension(path) is { Length: > 0 } kind ? kind : Path.GetFileName(path));
}
