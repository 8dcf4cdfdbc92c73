using Varve.Tests.Corruption.Golden;
using Varve.Tests.Shared;

return await Soak.RunAsync(args, new()
{
    ["describe"] = async soak =>
    {
        using var golden = await GoldenDatabase.BuildAsync(Varve.Durability.Power, close: false);
        var map = SegmentMap.Of(golden.Disk, GoldenDatabase.Directory);
        foreach (var dir in new[] { GoldenDatabase.Directory, GoldenDatabase.SnapshotDirectory, "/golden" })
            foreach (var f in golden.Disk.Files(dir)) soak.Write($"{f} {golden.Disk.Node(f).Length}");
        soak.Write($"chain {string.Join(" ", map.Chain)} stale {string.Join(" ", map.Stale)} ready {map.Ready} records {map.Records.Count} gap {map.Records.Count(map.IsInGap)}");
        foreach (var (o, e, edit) in ManifestRecords.Of(golden.Disk, GoldenDatabase.Directory, out _)) soak.Write($"edit {o}..{e} +{edit.Added.Length} -{edit.Removed.Length} {edit.State is not null} {edit.Replace}");
        foreach (var run in map.Manifest.Runs) soak.Write($"run {run.Key}: {string.Join(", ", run.Select(t => t.Table.RowCount + "/" + t.Table.TombstoneCount + "/" + t.Table.LeaseCount))}");
        var seen = StateReader.Read(golden.Disk, golden.Log);
        soak.Write($"{seen} keys {golden.Log.At(seen.Index).Keys.Length}");
        for (var k = 0; k < 3; k++)
        {
            var t = System.Diagnostics.Stopwatch.StartNew();
            for (var i = 0; i < 2000; i++) StateReader.Read(golden.Disk, golden.Log);
            soak.Write($"{t.Elapsed.TotalMicroseconds / 2000:f0} us a read");
        }
    },
});
