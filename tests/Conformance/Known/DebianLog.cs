using System.Buffers.Binary;
using System.Security.Cryptography;
using Varve.Cli.Sample;

namespace Varve.Tests.Conformance.Known;

/// <summary>Compares a machine with a known state.</summary>
internal static class MarkAssertions
{
    public static void Verify(this Mark mark, IStateMachine machine)
    {
        Assert.Equal(mark.At, machine.LastApplied);
        Assert.Equal(mark.All.Count, machine.Count);
        Assert.Equal(mark.All, StateDigest.Of(machine));
        Assert.Equal(mark.Libraries, StateDigest.Of(machine, KnownAnswers.LibraryPrefix));
        Assert.Equal(mark.At.Term, machine.EntryTerm(mark.At.Index));
    }
}

/// <summary>A Raft log made from Debian's package index, and what an independent model says it gives.</summary>
internal sealed class DebianLog
{
    public static readonly DebianLog Instance = new();

    private readonly KnownAnswers _answers;

    private DebianLog()
    {
        var frames = new ZstdSharp.Decompressor().Unwrap(File.ReadAllBytes(DataPath("log.bin.zst"))).ToArray();
        var wire = new List<byte[]>();
        for (var at = 0; at < frames.Length;)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(frames.AsSpan(at));
            wire.Add(frames.AsSpan(at + 4, length).ToArray());
            at += 4 + length;
        }
        Wire = wire;
        Native = [.. wire.Select(chunk => WireChunk.Decode(chunk))];

        using var expected = File.OpenRead(DataPath("expected.json"));
        _answers = KnownAnswers.Parse(expected);
    }

    public IReadOnlyList<byte[]> Wire { get; }

    public IReadOnlyList<ApplyEntry[]> Native { get; }

    public int Chunks => _answers.Chunks;

    public int Entries => _answers.Entries;

    public LogId LastApplied => _answers.LastApplied;

    public IReadOnlyList<Mark> Marks => _answers.Marks;

    /// <summary>Leases by the log; gaps refused: the log has none.</summary>
    public static EngineOptions Options => new() { LeaseClock = LeaseClock.Log };

    public void VerifyResults(IReadOnlyList<ApplyResult> results)
    {
        Assert.Equal(Enumerable.Range(1, Entries).Select(i => (ulong)i), results.Select(result => result.Index));
        var bits = new byte[(Entries + 7) / 8];
        for (var i = 0; i < results.Count; i++)
            bits[i / 8] |= (byte)((results[i].Succeeded ? 1 : 0) << (i % 8));
        Assert.Equal(_answers.Succeeded, results.Count(result => result.Succeeded));
        Assert.Equal(_answers.ResultBitsSha256, Convert.ToHexStringLower(SHA256.HashData(bits)));
    }

    private static string DataPath(string name) => Path.Combine(AppContext.BaseDirectory, "Sample", name);
}
