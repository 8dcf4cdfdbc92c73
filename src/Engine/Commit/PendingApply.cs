namespace Varve.Commit;

/// <summary>
/// A chunk that waits for its apply, in a copy, since its caller may use its memory again as soon as the call returns.
/// </summary>
internal sealed class PendingApply
{
    public PendingApply(AsyncApplier owner, in CopiedChunk chunk, ApplyResult[] results, WriteStall stall)
    {
        Owner = owner;
        Chunk = chunk;
        Results = results;
        Stall = stall;
        Node = new LinkedListNode<PendingApply>(this);
    }

    public AsyncApplier Owner { get; }

    public CopiedChunk Chunk { get; }

    public ApplyResult[] Results { get; }

    /// <summary>The stall that its caller met; none if it was behind others, or waits for something else.</summary>
    public WriteStall Stall { get; }

    /// <summary>Cancels it.</summary>
    public CancellationTokenRegistration Registration { get; set; }

    /// <summary>Its place in the queue.</summary>
    public LinkedListNode<PendingApply> Node { get; }

    /// <summary>Completed when the chunk is applied, which may be before it is durable.</summary>
    public TaskCompletionSource<CommitTicket> Applied { get; } =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
}
