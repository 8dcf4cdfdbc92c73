using System.IO.Hashing;
using System.IO.Pipelines;

namespace Varve.Snapshots;

/// <summary>What is done with a run of bytes as it passes.</summary>
internal delegate void SpanSink(ReadOnlySpan<byte> bytes);

/// <summary>
/// A packed snapshot as it arrives: takes exact numbers of bytes, whatever pieces they come in, and hashes all that it
/// took. Nothing is allocated by a length that the stream only claims.
/// </summary>
internal sealed class PackSource(PipeReader reader, string path)
{
    private readonly XxHash128 _hash = new();

    /// <summary>Its name in failures.</summary>
    public string Path { get; } = path;

    /// <summary>Bytes taken so far.</summary>
    public long Position { get; private set; }

    /// <summary>XXH128 of everything taken so far.</summary>
    public UInt128 Hash => _hash.GetCurrentHashAsUInt128();

    /// <summary>Gives the next <paramref name="length"/> bytes to <paramref name="sink"/>, piece by piece.</summary>
    /// <exception cref="EndOfStreamException">The stream ends before.</exception>
    public async ValueTask TakeAsync(long length, SpanSink sink, CancellationToken cancellationToken)
    {
        while (length > 0)
        {
            var result = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            var piece = result.Buffer.Slice(0, Math.Min(length, result.Buffer.Length));
            if (piece.IsEmpty && result.IsCompleted) throw new EndOfStreamException("The packed snapshot ends early.");
            if (result.IsCanceled) throw new OperationCanceledException();
            foreach (var segment in piece)
            {
                _hash.Append(segment.Span);
                sink(segment.Span);
            }

            length -= piece.Length;
            Position += piece.Length;
            reader.AdvanceTo(piece.End);
        }
    }

    /// <summary>The next <paramref name="length"/> bytes, a small number that this build chose.</summary>
    public async ValueTask<byte[]> TakeAsync(int length, CancellationToken cancellationToken)
    {
        var field = new byte[length];
        var filled = 0;
        await TakeAsync(
            length,
            bytes =>
            {
                bytes.CopyTo(field.AsSpan(filled));
                filled += bytes.Length;
            },
            cancellationToken).ConfigureAwait(false);
        return field;
    }

    /// <summary>Whether nothing is left.</summary>
    public async ValueTask<bool> IsAtEndAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            var isEmpty = result.Buffer.IsEmpty;
            reader.AdvanceTo(result.Buffer.Start);
            if (!isEmpty) return false;
            if (result.IsCompleted) return true;
            if (result.IsCanceled) throw new OperationCanceledException();
        }
    }
}
