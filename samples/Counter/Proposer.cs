using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Varve.Samples.Counter;

/// <summary>
/// The log of a service without a Raft group: it numbers commands in the order of their arrival. Commands that wait
/// while a chunk is applied form the next chunk, so under <see cref="Durability.Power"/> they share one sync.
/// </summary>
internal sealed class Proposer([FromKeyedServices("counters")] LsmStateMachine engine) : BackgroundService
{
    private const int ChunkEntriesMax = 256;

    private readonly Channel<Proposal> _proposals = Channel.CreateBounded<Proposal>(1024);

    /// <summary>Applies a command.</summary>
    /// <returns>Its outcome, once it is as durable as the engine's options say.</returns>
    public async Task<ApplyResult> ProposeAsync(Command command, CancellationToken cancellationToken = default)
    {
        var proposal = new Proposal(command, new(TaskCreationOptions.RunContinuationsAsynchronously));
        await _proposals.Writer.WriteAsync(proposal, cancellationToken);
        return await proposal.Outcome.Task;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stop = stoppingToken.Register(() => _proposals.Writer.TryComplete());
        var waiting = new List<Proposal>(ChunkEntriesMax);
        while (await _proposals.Reader.WaitToReadAsync(CancellationToken.None))
        {
            while (waiting.Count < ChunkEntriesMax && _proposals.Reader.TryRead(out var proposal))
                waiting.Add(proposal);
            await ApplyAsync(waiting);
            waiting.Clear();
        }
    }

    /// <summary>Applies one chunk. A failure is the answer to each of its commands: none of them was applied.</summary>
    private async Task ApplyAsync(List<Proposal> proposals)
    {
        var next = engine.LastApplied.Index + 1;
        var chunk = new ApplyEntry[proposals.Count];
        for (var i = 0; i < chunk.Length; i++) chunk[i] = new(next + (ulong)i, Term: 1, proposals[i].Command);
        try
        {
            var results = await engine.ApplyChunkAsync(chunk);
            for (var i = 0; i < results.Length; i++) proposals[i].Outcome.SetResult(results[i]);
        }
        catch (Exception failure)
        {
            foreach (var proposal in proposals) proposal.Outcome.SetException(failure);
        }
    }

    private readonly record struct Proposal(Command Command, TaskCompletionSource<ApplyResult> Outcome);
}
