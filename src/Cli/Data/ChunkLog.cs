using Varve.Cli.Text;
using Varve.Format;
using ZstdSharp;

namespace Varve.Cli.Data;

/// <summary>
/// Reads a log file from front to back: frames of a 4-byte little-endian length and a chunk of that length.
/// Decompresses a file whose name ends in <c>.zst</c>; <c>-</c> is standard input. All chunks share one buffer. One
/// thread.
/// </summary>
internal sealed class ChunkLog : IDisposable
{
    /// <summary>
    /// Limit on a frame, in bytes: above any chunk that Raft sends, and low enough that a garbage length does not
    /// exhaust memory.
    /// </summary>
    public const int FrameBytesMax = 1 << 30;

    private const int ReadStep = 1 << 20;

    private readonly Stream _stored;
    private readonly Stream _frames;
    private byte[] _buffer = new byte[64 << 10];
    private ReadOnlyMemory<byte>? _peeked;

    public ChunkLog(Stream stored, string name, bool compressed)
    {
        Name = name;
        _stored = stored;
        _frames = compressed
            ? new BufferedStream(new DecompressionStream(stored, leaveOpen: true), 256 << 10)
            : new BufferedStream(stored, 256 << 10);
    }

    public static ChunkLog Open(string path) => path == "-"
        ? new ChunkLog(Console.OpenStandardInput(), "standard input", compressed: false)
        : new ChunkLog(
            new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan), path,
            path.EndsWith(".zst", StringComparison.OrdinalIgnoreCase));

    /// <summary>Name of the log in errors.</summary>
    public string Name { get; }

    /// <summary>Offset of the current frame, in decompressed bytes.</summary>
    public long FrameOffset { get; private set; }

    /// <summary>Decompressed bytes read so far.</summary>
    public long Position { get; private set; }

    /// <summary>Share of the file that has been read, 0 to 1; null if its size is unknown.</summary>
    public double? Progress => _stored.CanSeek && _stored.Length > 0 ? (double)_stored.Position / _stored.Length : null;

    /// <summary>
    /// Reads the next chunk without consuming it; false at a clean end.
    /// </summary>
    /// <param name="chunk">The chunk; valid until the second call from here.</param>
    public bool TryPeekChunk(out ReadOnlyMemory<byte> chunk)
    {
        if (!TryReadChunk(out chunk)) return false;
        _peeked = chunk;
        return true;
    }

    /// <summary>Reads the next chunk; false at a clean end.</summary>
    /// <param name="chunk">The chunk; valid until the next call.</param>
    public bool TryReadChunk(out ReadOnlyMemory<byte> chunk)
    {
        if (_peeked is { } peeked)
        {
            (chunk, _peeked) = (peeked, null);
            return true;
        }

        chunk = default;
        FrameOffset = Position;
        var header = ReadFully(ChunkFrames.HeaderSize);
        if (header == 0) return false;
        if (header < ChunkFrames.HeaderSize) throw Malformed("the log ends inside the length of a frame");
        var length = ChunkFrames.ReadLength(_buffer);
        if (length > FrameBytesMax) throw Malformed($"frame of {length} bytes exceeds the limit of {FrameBytesMax}");
        var read = ReadFully((int)length);
        if (read < length) throw Malformed($"the log ends after {read} of the frame's {length} bytes");
        chunk = _buffer.AsMemory(0, read);
        return true;
    }

    /// <summary>Makes the error for the current frame, with its offset.</summary>
    public UsageException Malformed(string reason) =>
        new($"{Name}: bad chunk in the frame at offset {FrameOffset}: {reason}");

    public void Dispose()
    {
        _frames.Dispose();
        _stored.Dispose();
    }

    // The buffer grows with the bytes that arrive, not with the claimed length of a frame.
    private int ReadFully(int length)
    {
        var filled = 0;
        while (filled < length)
        {
            var wanted = Math.Min(length - filled, ReadStep);
            if (_buffer.Length < filled + wanted)
                Array.Resize(ref _buffer, Math.Max(filled + wanted, _buffer.Length * 2));
            int read;
            try
            {
                read = _frames.Read(_buffer, filled, wanted);
            }
            catch (Exception failure) when (failure is ZstdException or EndOfStreamException)
            {
                throw Malformed($"cannot decompress: {failure.Message}");
            }

            if (read == 0) break;
            filled += read;
            Position += read;
        }

        return filled;
    }
}
