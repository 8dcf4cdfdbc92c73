using System.IO.Hashing;
using System.IO.Pipelines;

namespace Varve.Snapshots;

/// <summary>A packed snapshot as it leaves: hashes what passes, and lets the pipe set the pace.</summary>
internal sealed class PackDestination(PipeWriter writer)
{
    private readonly XxHash128 _hash = new();

    /// <summary>XXH128 of everything put so far.</summary>
    public UInt128 Hash => _hash.GetCurrentHashAsUInt128();

    /// <summary>The pipe's own memory, to be filled by the caller and then committed: no copy on the way.</summary>
    public Memory<byte> Reserve(int sizeHint) => writer.GetMemory(sizeHint);

    /// <summary>Sends the first <paramref name="length"/> bytes of what was reserved.</summary>
    public async ValueTask CommitAsync(ReadOnlyMemory<byte> reserved, int length, CancellationToken cancellationToken)
    {
        _hash.Append(reserved.Span[..length]);
        writer.Advance(length);
        var result = await writer.FlushAsync(cancellationToken).ConfigureAwait(false);
        if (result.IsCanceled) throw new OperationCanceledException();
        if (result.IsCompleted) throw new IOException("The receiver of the packed snapshot stopped reading.");
    }

    public async ValueTask PutAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            var reserved = Reserve(1);
            var length = Math.Min(bytes.Length, reserved.Length);
            bytes[..length].CopyTo(reserved);
            await CommitAsync(reserved, length, cancellationToken).ConfigureAwait(false);
            bytes = bytes[length..];
        }
    }
}
