using Varve.Format;
using Varve.Inspection;
using Varve.Storage;
using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Inspection;

/// <summary>
/// A database with tables in several runs and a log behind them, closed, to be damaged; and a snapshot of it, packed
/// too.
/// </summary>
internal sealed class Specimen : IDisposable
{
    public const ulong Applied = 2600;

    /// <summary>Never merged, and appliers wait for flushes, so that there are several runs.</summary>
    public static EngineOptions Options { get; } =
        Database.Small with { UpperRunsMax = 32, SealedMemtablesMax = 1, BlockBytes = 512 };

    public Database Database { get; } = new();

    public string Directory => Database.Directory;

    public string Snapshot => Path.Combine(Database.Root, "snapshot");

    public string Pack => Path.Combine(Database.Root, "snapshot.varve");

    public static async Task<Specimen> Make(bool withSnapshot = false)
    {
        var specimen = new Specimen();
        using (var machine = specimen.Database.Open(Options))
        {
            NumberedLog.ApplyUpTo(machine, 1000);
            await machine.CompactAsync();
            NumberedLog.ApplyUpTo(machine, Applied);
            if (withSnapshot) await machine.GenerateSnapshotDataAsync(specimen.Snapshot, machine.LastApplied);
        }

        if (withSnapshot)
        {
            await using var stream = File.Create(specimen.Pack);
            await Varve.Snapshots.PackWriter.PackAsync(Storages.Default, specimen.Snapshot, stream);
        }

        return specimen;
    }

    public IReadOnlyList<Problem> Check(bool deep = true) => Verification.Check(Storages.Default, Directory, deep);

    public static IEnumerable<Problem> Damages(IEnumerable<Problem> problems) =>
        problems.Where(problem => problem.Severity == Severity.Damage);

    /// <summary>The largest table that the database has.</summary>
    public string Table() => Database.Files(FileNames.TableSuffix).MaxBy(path => new FileInfo(path).Length)!;

    public static TableFooter Footer(string table)
    {
        var bytes = File.ReadAllBytes(table);
        Assert.True(
            TableFooter.TryDecode(bytes.AsSpan(bytes.Length - TableFooter.Bytes), bytes.Length, out var footer, out _));
        return footer!;
    }

    /// <summary>The offsets at which the blocks of a table begin, and the end of the last.</summary>
    public static long[] Blocks(string table)
    {
        var bytes = File.ReadAllBytes(table);
        var offsets = new List<long> { 0 };
        for (var end = Footer(table).DataLength; offsets[^1] < end;)
            offsets.Add(offsets[^1] + DataBlockHeader.Extent(BitConverter.ToUInt32(bytes, (int)offsets[^1])));
        return [.. offsets];
    }

    public void Dispose() => Database.Dispose();
}
