using System.IO.Pipelines;
using Varve.Snapshots;
using Varve.Storage;

namespace Varve;

/// <summary>
/// A snapshot as one stream, for sending: docs/FORMAT.md draws it. Every byte is verified on both ends. Memory is the
/// manifest and one piece of 256 KiB. Any thread; each call has its own stream.
/// </summary>
public static class SnapshotPack
{
    /// <summary>
    /// Writes a snapshot's directory to a pipe, which sets the pace. Does not complete the writer.
    /// </summary>
    /// <param name="directory">The snapshot's directory.</param>
    /// <param name="destination">Receives the stream.</param>
    /// <param name="cancellationToken">Ends the call between two pieces.</param>
    /// <exception cref="ArgumentException">The path is null or empty.</exception>
    /// <exception cref="SnapshotRejectedException">The directory is not an intact snapshot.</exception>
    /// <exception cref="UnsupportedFormatException">The manifest is intact and of a newer build.</exception>
    /// <exception cref="IOException">The disk failed, or the receiver stopped reading before the last byte was
    /// written.</exception>
    /// <exception cref="OperationCanceledException">The token or the pipe was cancelled.</exception>
    public static Task PackAsync(
        string directory, PipeWriter destination, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ArgumentNullException.ThrowIfNull(destination);
        return PackWriter.PackAsync(Storages.Default, Path.GetFullPath(directory), destination, cancellationToken);
    }

    /// <summary>
    /// Makes a snapshot's directory of a stream, durable on completion. Until then nothing is under its name; a call
    /// that fails leaves nothing behind. Reads to the end of the pack and leaves what follows in the reader, which it
    /// does not complete.
    /// </summary>
    /// <param name="source">The stream.</param>
    /// <param name="directory">The directory to make; it must not exist, or be empty.</param>
    /// <param name="cancellationToken">Ends the call between two pieces.</param>
    /// <exception cref="ArgumentException">The path is null or empty.</exception>
    /// <exception cref="SnapshotRejectedException">The stream ends early, or is not an intact snapshot.</exception>
    /// <exception cref="UnsupportedFormatException">The stream is intact and of a newer build.</exception>
    /// <exception cref="IOException">The directory is not empty, or the disk failed.</exception>
    /// <exception cref="OperationCanceledException">The token or the pipe was cancelled.</exception>
    public static Task UnpackAsync(
        PipeReader source, string directory, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentException.ThrowIfNullOrEmpty(directory);
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        return PackUnpacker.UnpackAsync(Storages.Default, source, target, endsWithPack: false, cancellationToken);
    }
}
