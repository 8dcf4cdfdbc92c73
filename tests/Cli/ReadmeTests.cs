using Xunit;

namespace Varve.Tests.Cli;

/// <summary>The README's example, kept compiling and true: change both together.</summary>
public sealed class ReadmeTests : IDisposable
{
    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task ExampleProducesItsOutput()
    {
        using var engine = LsmStateMachine.Open(_tool.PathOf("data"));
        var next = engine.LastApplied.Index + 1;
        var put = Command.Insert("greeting", "hello");
        var lead = Command.InsertIfAbsent("leader", "node-1", ttlSeconds: 30);
        var results = await engine.ApplyChunkAsync(
            new ApplyEntry[] { new(next, Term: 1, put), new(next + 1, Term: 1, lead) });

        Assert.Equal("hello", engine.GetString("greeting"));
        Assert.True(results[1].Succeeded);
        Assert.Equal(new LogId(2, 1), engine.LastApplied);
    }
}
