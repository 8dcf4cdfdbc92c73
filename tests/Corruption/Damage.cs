using Varve.Tests.Corruption.Golden;
using Varve.Tests.Shared;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Corruption;

/// <summary>
/// Carries out many cases of damage on all cores; each worker has a copy of the golden disk, which every case leaves as
/// it was.
/// </summary>
internal abstract class Damage(Soak soak, GoldenDatabase golden)
{
    private readonly VerdictCounts _tally = new();
    private int _next = -1;
    private long _done;

    protected GoldenDatabase Golden => golden;

    protected Soak Soak => soak;

    protected abstract int Count { get; }

    public VerdictCounts Run()
    {
        Task.WaitAll([.. Enumerable.Range(0, (int)soak.Number("workers", Environment.ProcessorCount)).Select(
            _ => Task.Factory.StartNew(Work, TaskCreationOptions.LongRunning))]);
        return _tally;
    }

    /// <summary>One case, or a batch of them.</summary>
    protected abstract void Do(DamageWorker bench, int number);

    private void Work()
    {
        using var bench = new DamageWorker(golden, _tally, soak);
        for (var number = Interlocked.Increment(ref _next); number < Count; number = Interlocked.Increment(ref _next))
        {
            try
            {
                Do(bench, number);
            }
            catch
            {
                Volatile.Write(ref _next, int.MaxValue / 2);
                throw;
            }

            Interlocked.Increment(ref _done);
            soak.Progress(() => $"{Volatile.Read(ref _done):n0} of {Count:n0}");
        }
    }
}

/// <summary>One worker's disk and judges.</summary>
internal sealed class DamageWorker : IDisposable
{
    private readonly GoldenDatabase _golden;
    private readonly VerdictCounts _tally;
    private readonly Soak _soak;
    private readonly Judge _judge;
    private readonly SnapshotReader _snapshots;
    private readonly long _continueEvery;
    private long _survivals;

    public DamageWorker(GoldenDatabase golden, VerdictCounts tally, Soak soak)
    {
        (_golden, _tally, _soak) = (golden, tally, soak);
        Disk = golden.Disk.Copy(SimMappings.ReusedCopies);
        _judge = new Judge(golden);
        _snapshots = new SnapshotReader(golden, Disk);
        _continueEvery = soak.Number("go-on-every", 50);
    }

    public SimFs Disk { get; }

    public static bool IsOfDatabase(string path) =>
        path.StartsWith(GoldenDatabase.Directory + "/", StringComparison.Ordinal);

    /// <summary>Damages, judges, and puts the named files back as they were.</summary>
    public void Case(string kind, string name, ReadOnlySpan<string> files, Action damage, Func<Judge, Observation> of)
    {
        var kept = files.ToArray();
        try
        {
            damage();
            Observation seen;
            if (IsOfDatabase(kept[0]))
            {
                seen = of(_judge);
                if (seen.Path is null && _survivals++ % _continueEvery == 0)
                    _judge.AssertWorkContinues(Disk, seen.Index);
            }
            else
            {
                seen = _snapshots.Read(isPacked: kept[0] == GoldenDatabase.PackedSnapshot);
                if (seen.Verdict == Verdict.Harmless) throw new WrongStateException("a damaged snapshot was installed");
            }

            _tally.Add(kind, name, seen.Verdict);
        }
        catch (Exception e)
        {
            throw new FindingException($"seed {_soak.Seed}: {kind}, {name}: {string.Join(", ", kept)}", e);
        }
        finally
        {
            foreach (var file in kept)
            {
                if (_golden.Disk.FileExists(file)) Disk.Put(file, _golden.Disk.Span(file));
                else Disk.Delete(file);
            }
        }
    }

    public void Dispose()
    {
        _snapshots.Dispose();
        Disk.Dispose();
    }
}
