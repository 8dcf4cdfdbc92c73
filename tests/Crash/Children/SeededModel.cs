using Varve.Tests.Conformance.Model;
using Varve.Tests.Crash.Child;
using Xunit;

namespace Varve.Tests.Crash.Children;

/// <summary>
/// The state that the seeded log gives at any chunk boundary, and whether a machine has exactly it. Two models are kept
/// where they got to, because a database jumps back and forth between two heights: nothing is computed twice that need
/// not be.
/// </summary>
internal sealed class SeededModel(ulong seed, EngineOptions options)
{
    private sealed class Height(EngineOptions options)
    {
        public DictionaryStateMachine Machine { get; } = new(options);

        public ApplyEntry[] Chunk { get; set; } = [];

        public ulong Index => Machine.LastApplied.Index;
    }

    private readonly Height[] _heights = [new(options), new(options)];

    public async Task VerifyAsync(IStateMachine survivor)
    {
        await VerifyReadsAsync(survivor);
        var height = await AtAsync(survivor.LastApplied.Index);
        if (height.Chunk.Length == 0) return;
        // All duplicates.
        Assert.Equal(await height.Machine.ApplyChunkAsync(height.Chunk), await survivor.ApplyChunkAsync(height.Chunk));
        foreach (var entry in height.Chunk) Assert.Equal(entry.Term, survivor.EntryTerm(entry.Index));
    }

    /// <summary>
    /// Like <see cref="VerifyAsync"/>, for a machine that accepts no entries; returns the number of compared reads.
    /// </summary>
    public async Task<long> VerifyReadsAsync(IStateMachine survivor)
    {
        var model = (await AtAsync(survivor.LastApplied.Index)).Machine;
        Assert.Equal(model.LastApplied, survivor.LastApplied);
        Assert.Equal(model.Count, survivor.Count);
        if (survivor is LsmStateMachine engine)
        {
            var mark = new byte[64];
            Assert.Equal(
                SeededLog.MarkAt(model.LastApplied.Index), mark.AsSpan(0, engine.ReadMark(mark)).ToArray());
        }

        var expected = model.ScanPrefix([]).Entries;
        var actual = survivor.ScanPrefix([]).Entries;
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
        {
            Assert.True(
                expected[i].Key.Span.SequenceEqual(actual[i].Key.Span),
                $"Key {i} of the scan differs at {model.LastApplied}");
            Assert.True(
                expected[i].Value.Span.SequenceEqual(actual[i].Value.Span),
                $"Value {i} of the scan differs at {model.LastApplied}");
            Assert.True(
                survivor.Get(expected[i].Key.Span).AsSpan().SequenceEqual(expected[i].Value.Span),
                $"Value {i} by get differs at {model.LastApplied}");
        }

        return (2L * expected.Count) + 1;
    }

    private async Task<Height> AtAsync(ulong index)
    {
        var lower = _heights[0].Index <= _heights[1].Index ? 0 : 1;
        var best = _heights[1 - lower].Index <= index ? 1 - lower : lower;
        if (_heights[best].Index > index) _heights[best] = new Height(options);
        var height = _heights[best];
        while (height.Index < index)
        {
            height.Chunk = SeededLog.ChunkFrom(seed, height.Index + 1);
            await height.Machine.ApplyChunkAsync(height.Chunk);
        }

        if (height.Index != index)
            throw new ForbiddenStateException($"Entry {index} is inside the chunk that ends at {height.Index}");
        return height;
    }
}
