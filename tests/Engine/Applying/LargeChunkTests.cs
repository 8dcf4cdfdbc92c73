using Varve.Tests.Engine.Recovery;
using Xunit;

namespace Varve.Tests.Engine.Applying;

/// <summary>
/// A chunk of very many small entries costs memory while it is applied; afterwards all memory that remains is counted.
/// </summary>
public sealed class LargeChunkTests : IDisposable
{
    private readonly Database _database = new();

    public void Dispose() => _database.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void LargeChunkReleasesItsBuffersAndCountsRest(bool isTaken)
    {
        const int Count = 300_000;
        using var machine = _database.Open();
        var chunk = new ApplyEntry[Count];
        // A chunk that is refused at its last entry took as much.
        for (var i = 0; i < Count; i++)
            chunk[i] = new ApplyEntry(
                (ulong)i + 1, 1, i == Count - 1 && !isTaken ? Command.Delete(default) : Command.Noop);
        var results = new ApplyResult[Count];
        if (isTaken) machine.ApplyChunk(chunk, results);
        else Assert.ThrowsAny<ArgumentException>(() => machine.ApplyChunk(chunk, results));
        Assert.InRange(machine.GetStatistics().ChunkBytes, 0, 10 << 20);
        var next = machine.LastApplied.Index;
        for (ulong i = 1; i <= 3; i++)
            machine.ApplyChunk(
                [new ApplyEntry(next + i, 1, Command.Insert(new byte[] { 1 }, new byte[] { (byte)i }))], results);
        Assert.InRange(machine.GetStatistics().ChunkBytes, 1, 10 << 20);
        Assert.Equal([3], machine.Get([1]));
    }
}
