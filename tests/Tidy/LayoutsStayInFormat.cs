using System.Text.RegularExpressions;
using Xunit;

namespace Varve.Tests.Tidy;

/// <summary>
/// Numbers are read from bytes, and written to them, in src/Format alone. The other places are listed with their count,
/// so that a new one is seen in a review and a place that has gone leaves the list.
/// </summary>
public partial class LayoutsStayInFormat
{
    /// <summary>Bytes that are part of no file of a database.</summary>
    private static readonly Dictionary<string, int> BytesOfNoFile = new()
    {
        // Keys that the tool makes for its benchmark.
        ["src/Cli/Bench/BenchRun.cs"] = 2,

        // The pipe between the demo and its child process.
        ["src/Cli/Demo/ApplyChild.cs"] = 2,

        // Lengths that go into a hash of a state.
        ["src/Cli/Sample/StateDigest.cs"] = 2,

        // Bytes of keys, compared and copied a word at a time.
        ["src/Engine/Iterators/ScanBlock.cs"] = 4,
        ["src/Engine/Memtables/Index/RawKey.cs"] = 1,
        ["src/Engine/Tables/Blocks/DataBlockView.cs"] = 11,

        // The hash by which callers name a file of a snapshot.
        ["src/Engine/Snapshots/LiveTables.cs"] = 1,
        ["src/Engine/Snapshots/SnapshotDirectory.cs"] = 1,

        // Salts, from a random number generator.
        ["src/Engine/Versions/ManifestStore.cs"] = 1,
        ["src/Engine/Wal/SegmentPool.cs"] = 1,
    };

    /// <summary>Fields of files that a hot loop reads itself, at a place that a codec in src/Format names.</summary>
    private static readonly Dictionary<string, int> HotReads = new()
    {
        // The deadline behind a value of a leased put (DataBlock.WriteTrailer).
        ["src/Engine/Tables/KeyVersion.cs"] = 1,

        // The offset that a record states (WalRecordHeader.OffsetField), sought at every eighth byte of a tail.
        ["src/Engine/Wal/TailScan.cs"] = 1,
    };

    [Fact]
    public void OtherRoomsReadAndWriteListedNumbersOnly()
    {
        var found = SourceTree.CSharp("src/")
            .Where(file => !file.Path.StartsWith("src/Format/", StringComparison.Ordinal))
            .Select(file => (file.Path, Uses: Access().Count(file.Code)))
            .Where(file => file.Uses > 0).ToDictionary(file => file.Path, file => file.Uses);
        var listed = BytesOfNoFile.Concat(HotReads).ToDictionary();
        Complaints.None(
            from path in found.Keys.Union(listed.Keys).Order(StringComparer.Ordinal)
            let uses = found.GetValueOrDefault(path)
            let known = listed.GetValueOrDefault(path)
            where uses != known
            select $"{path}: numbers are read or written at {uses} places, the lists say {known}");
    }

    [Theory]
    [InlineData("BinaryPrimitives.ReadUInt16LittleEndian(a)")]
    [InlineData("BinaryPrimitives.TryWriteInt64BigEndian(a, b)")]
    [InlineData("Unsafe.ReadUnaligned<ulong>(a)")]
    [InlineData("Unsafe.WriteUnaligned(a, b)")]
    [InlineData("MemoryMarshal.Read<int>(a)")]
    [InlineData("BitConverter.ToUInt32(a)")]
    public void RuleSeesAccess(string code) => Assert.Matches(Access(), code);

    [Theory]
    [InlineData("BinaryPrimitives.ReverseEndianness(a)")]
    [InlineData("Unsafe.Add(ref a, 1)")]
    [InlineData("MemoryMarshal.GetReference(a)")]
    [InlineData("BitConverter.IsLittleEndian")]
    public void RuleAllowsOtherCode(string code) => Assert.DoesNotMatch(Access(), code);

    [GeneratedRegex(
        @"\bBinaryPrimitives\s*\.\s*(Try)?(Read|Write)|\bUnsafe\s*\.\s*(Read|Write)(Unaligned)?\b"
        + @"|\bMemoryMarshal\s*\.\s*(Try)?(Read|Write|AsRef)\b|\bBitConverter\s*\.\s*(To|TryWrite)")]
    private static partial Regex Access();
}
