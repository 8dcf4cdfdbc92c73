using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;

namespace Varve.Tests.Conformance.Known;

/// <summary>A state as the expected answers describe it.</summary>
internal sealed record StateDigest(long Count, string Sha256)
{
    public static StateDigest Of(IStateMachine machine, ReadOnlySpan<byte> prefix)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[4];
        var entries = machine.ScanPrefix(prefix).Entries;
        foreach (var (key, value) in entries)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)key.Length);
            hash.AppendData(length);
            hash.AppendData(key.Span);
            BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)value.Length);
            hash.AppendData(length);
            hash.AppendData(value.Span);
        }
        return new StateDigest(entries.Count, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}

/// <summary>The state at one index.</summary>
internal sealed record Mark(LogId At, StateDigest All, StateDigest PkgLib)
{
    public void Verify(IStateMachine machine)
    {
        Assert.Equal(At, machine.LastApplied);
        Assert.Equal(All.Count, machine.Count);
        Assert.Equal(All, StateDigest.Of(machine, []));
        Assert.Equal(PkgLib, StateDigest.Of(machine, "pkg/lib"u8));
        Assert.Equal(At.Term, machine.EntryTerm(At.Index));
    }
}

/// <summary>A Raft log made from Debian's package index, and what an independent model says it gives.</summary>
internal sealed class DebianLog
{
    public static readonly DebianLog Instance = new();

    private DebianLog()
    {
        var frames = new ZstdSharp.Decompressor().Unwrap(File.ReadAllBytes(DataPath("debian-log.bin.zst"))).ToArray();
        var wire = new List<byte[]>();
        for (var at = 0; at < frames.Length;)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(frames.AsSpan(at));
            wire.Add(frames.AsSpan(at + 4, length).ToArray());
            at += 4 + length;
        }
        Wire = wire;
        Native = [.. wire.Select(chunk => WireChunk.Decode(chunk))];

        var expected = JsonDocument.Parse(File.ReadAllBytes(DataPath("debian-log.expected.json"))).RootElement;
        Chunks = expected.GetProperty("chunks").GetInt32();
        Entries = expected.GetProperty("entries").GetInt32();
        Succeeded = expected.GetProperty("succeeded").GetInt32();
        ResultsSha256 = expected.GetProperty("results_bits_sha256").GetString()!;
        LastApplied = Position(expected.GetProperty("last_applied"));
        Marks = [.. expected.GetProperty("marks").EnumerateArray().Select(mark =>
            new Mark(Position(mark), Digest(mark), Digest(mark.GetProperty("prefix_pkg_lib")))).Distinct()];
    }

    public IReadOnlyList<byte[]> Wire { get; }

    public IReadOnlyList<ApplyEntry[]> Native { get; }

    public int Chunks { get; }

    public int Entries { get; }

    public int Succeeded { get; }

    public string ResultsSha256 { get; }

    public LogId LastApplied { get; }

    public IReadOnlyList<Mark> Marks { get; }

    /// <summary>Leases by the log; gaps refused: the log has none.</summary>
    public static EngineOptions Options => new() { LeaseClock = LeaseClock.Log };

    public void VerifyResults(IReadOnlyList<ApplyResult> results)
    {
        Assert.Equal(Enumerable.Range(1, Entries).Select(i => (ulong)i), results.Select(result => result.Index));
        var bits = new byte[(Entries + 7) / 8];
        for (var i = 0; i < results.Count; i++)
            bits[i / 8] |= (byte)((results[i].Succeeded ? 1 : 0) << (i % 8));
        Assert.Equal(Succeeded, results.Count(result => result.Succeeded));
        Assert.Equal(ResultsSha256, Convert.ToHexStringLower(SHA256.HashData(bits)));
    }

    private static LogId Position(JsonElement json) =>
        new(json.GetProperty("index").GetUInt64(), json.GetProperty("term").GetUInt64());

    private static StateDigest Digest(JsonElement json) =>
        new(json.GetProperty("count").GetInt64(), json.GetProperty("sha256").GetString()!);

    private static string DataPath(string name) => Path.Combine(AppContext.BaseDirectory, "Data", name);
}
