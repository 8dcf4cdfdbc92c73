using System.IO.Hashing;
using Varve.Format;
using Varve.Storage;
using Varve.Tables;
using Varve.Tests.Shared.Disk;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>
/// A whole small table, opened, read in every way and verified. A table that passes verification is valid: its keys
/// ascend, are found, and scan alike in both directions. <see cref="TableSeal"/> lists the checksums that resealing
/// computes.
/// </summary>
internal static class TableTarget
{
    private const byte CopyLines = 2;
    private const byte FixHash = 4;
    private const byte Paranoid = 8;
    private const string Path = "/t/000000000007.vtab";
    private const ulong Number = 7;

    public static ulong Run(ReadOnlySpan<byte> input)
    {
        var bytes = SealedInput.Open(input, out var flags);
        if ((flags & SealedInput.Reseal) != 0) TableSeal.Reseal(bytes, (flags & CopyLines) != 0);
        using var storage = new SimFs { Mappings = SimMappings.ReusedCopies, [Path] = bytes };
        var descriptor = Describe(bytes, (flags & FixHash) != 0);
        var feature = OpenAndRead(storage, descriptor, (flags & Paranoid) != 0, (uint)XxHash3.HashToUInt64(bytes));
        Holds(storage.LiveMappings == 0, "nothing mapped at the end");
        return feature;
    }

    /// <summary>
    /// Damage is reported, not thrown: most inputs have some, and an exception costs more than all the rest.
    /// </summary>
    private static ulong OpenAndRead(SimFs storage, TableDescriptor descriptor, bool paranoid, uint choice)
    {
        VarveException? damage = null;
        Action<VarveException> first = found => damage ??= found;
        using var table = Table.TryOpen(storage, Path, descriptor, paranoid, first);
        Holds(table is null == damage is not null, "damage exactly where nothing was opened");
        if (table is null) return FeatureOf("open", damage!);
        TableReads.All(table, choice);
        table.FindDamage(first);
        if (damage is not null) return FeatureOf("verify", damage);
        TableReads.CheckVerified(table);
        return Feature.Of("verified", Feature.Bucket(descriptor.RowCount));
    }

    private static ulong FeatureOf(string stage, VarveException damage)
    {
        Holds(damage is CorruptionException or UnsupportedFormatException, "damage of a documented kind");
        return damage is CorruptionException corruption
            ? Feature.Join(Feature.Of(stage), Feature.Of(corruption.Kind))
            : Feature.Of("unsupported");
    }

    public static IEnumerable<(string, byte[])> Seeds()
    {
        var few = Write(400, Enumerable.Range(0, 5).Select(i => ($"k{i}", (RecordKind)(1 + i % 3))));
        var blocks = Write(200, Enumerable.Range(10, 20).Select(
            i => ($"user/{i}/profile/of some length", i % 7 == 0 ? RecordKind.LeasedPut : RecordKind.Put)));
        const byte reseal = SealedInput.Reseal | CopyLines;
        return
        [
            .. SealedInput.Seeds("few", few, reseal), .. SealedInput.Seeds("blocks", blocks, reseal),
            ("few-hashed", [reseal | FixHash, .. few]), ("blocks-hashed", [reseal | FixHash | Paranoid, .. blocks]),
        ];
    }

    private static byte[] Write(int blockBytes, IEnumerable<(string Key, RecordKind Kind)> rows)
    {
        using var storage = new SimFs();
        storage.CreateDirectory("/t");
        using (var file = storage.Open(Path, FileIntent.CreateNew))
        {
            using var writer = new TableWriter(
                file, Samples.Database, Number, TestHash.Seed, blockBytes, filterBitsPerKey: 10);
            foreach (var (key, kind) in rows)
                writer.Add(
                    System.Text.Encoding.ASCII.GetBytes(key), kind, (ulong)key.Length * 100,
                    kind == RecordKind.Tombstone ? default : "value"u8);
            writer.Finish();
        }

        return storage[Path];
    }

    /// <summary>The descriptor of a manifest, taken from the table's own properties if they can be read.</summary>
    private static TableDescriptor Describe(byte[] bytes, bool fixHash)
    {
        var descriptor =
            Samples.Table with { Length = Math.Max(1, bytes.Length), OriginNumber = Number, Number = Number };
        if (fixHash) descriptor = descriptor with { Hash = XxHash128.HashToUInt128(bytes) };
        if (!TableFooter.TryDecode(bytes, bytes.Length, out var footer, out _)) return descriptor;
        var region = bytes.AsSpan((int)footer!.Properties.Offset, (int)footer.Properties.Length);
        if (!TableProperties.TryDecode(region, out var properties, out _)) return descriptor;
        return descriptor with
        {
            RowCount = properties!.RowCount,
            TombstoneCount = properties.TombstoneCount,
            LeaseCount = properties.LeaseCount,
            SmallestKey = properties.SmallestKey,
            LargestKey = properties.LargestKey,
        };
    }
}
