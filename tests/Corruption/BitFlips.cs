using System.Numerics;
using Varve.Tests.Corruption.Golden;
using Varve.Tests.Shared;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Corruption;

/// <summary>
/// Flips bits of the golden database and snapshot, one at a time, opens and reads everything, and restores the bit.
/// Every bit, or one of every N, which the seed picks.
/// </summary>
internal sealed class BitFlips(Soak soak, GoldenDatabase golden, IEnumerable<Region> regions)
{
    private const int UnitBytes = 512;
    private readonly ulong _every = (ulong)soak.Number("every", 1);
    private readonly long _continueEvery = soak.Number("go-on-every", 5000);
    private readonly long _verifyEvery = soak.Number("verify-every", 100);
    private readonly List<(Region Region, long Begin)> _units = [.. regions.SelectMany(region => Units(region))];
    private readonly VerdictCounts _tally = new();
    private int _next = -1;
    private long _flips;
    private long _survivals;

    /// <summary>Runs on all cores; the figures, by file and region.</summary>
    public VerdictCounts Run()
    {
        var workers = Enumerable.Range(0, (int)soak.Number("workers", Environment.ProcessorCount))
            .Select(_ => Task.Factory.StartNew(Work, TaskCreationOptions.LongRunning)).ToArray();
        Task.WaitAll(workers);
        return _tally;
    }

    private void Work()
    {
        using var disk = golden.Disk.Copy(SimMappings.ReusedCopies);
        using var snapshots = new SnapshotReader(golden, disk);
        var judge = new Judge(golden);
        for (var unit = Interlocked.Increment(ref _next); unit < _units.Count; unit = Interlocked.Increment(ref _next))
        {
            var (region, begin) = _units[unit];
            var end = Math.Min(region.End, begin + UnitBytes);
            for (var bit = Pick(region.Path, begin * 8); bit < end * 8; bit = Pick(region.Path, bit + 1))
                Flip(disk, judge, snapshots, region, bit);
            soak.Progress(() => $"{Volatile.Read(ref _flips):n0} flips, unit {unit:n0} of {_units.Count:n0}");
        }
    }

    private void Flip(SimFs disk, Judge judge, SnapshotReader snapshots, Region region, long bit)
    {
        ref var cell = ref disk.Span(region.Path)[(int)(bit >> 3)];
        cell ^= (byte)(1 << (int)(bit & 7));
        try
        {
            Observation seen;
            if (region.File is "snapshot" or "packed snapshot")
            {
                seen = snapshots.Read(region.File == "packed snapshot");
                if (seen.Verdict != region.Expected) throw new WrongStateException($"{seen} is not what it must be");
            }
            else
            {
                seen = judge.OfFlip(disk, region);
                if (seen.Verdict is not (Verdict.Open or Verdict.Read)
                    && Interlocked.Increment(ref _survivals) % _continueEvery == 1)
                    judge.AssertWorkContinues(disk, seen.Index);
            }

            if (Interlocked.Increment(ref _flips) % _verifyEvery == 1)
            {
                var path = region.File switch
                {
                    "snapshot" => GoldenDatabase.SnapshotDirectory,
                    "packed snapshot" => region.Path,
                    _ => GoldenDatabase.Directory
                };
                Judge.Verify(disk, path, region.Path == SnapshotReader.ManifestPath && snapshots.SaysTheSame()
                    ? Verdict.Harmless
                    : seen.Verdict);
            }

            _tally.Add(region.File, region.Name, seen.Verdict);
        }
        catch (Exception e)
        {
            Volatile.Write(ref _next, int.MaxValue / 2); // the other workers end too
            throw new FindingException(
                $"seed {soak.Seed}: bit {bit & 7} of byte {bit >> 3} of {region.Path} ({region.File}, {region.Name})",
                e);
        }
        finally
        {
            cell ^= (byte)(1 << (int)(bit & 7));
        }
    }

    /// <summary>The picked bit at or after a bit: one of every N.</summary>
    private long Pick(string path, long bit)
    {
        if (_every == 1) return bit;
        for (var group = (ulong)bit / _every; ; group++)
        {
            var picked = (long)((group * _every) + (Mix(group ^ soak.Seed ^ (ulong)(uint)path.Length << 40) % _every));
            if (picked >= bit) return picked;
        }
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return BitOperations.RotateLeft(value, 31) ^ value;
    }

    private static IEnumerable<(Region Region, long Begin)> Units(Region region)
    {
        for (var begin = region.Begin; begin < region.End; begin += UnitBytes) yield return (region, begin);
    }
}
