using System.Buffers.Binary;
using Varve.Cli.Text;
using ZstdSharp;

namespace Varve.Cli.Data;

/// <summary>
/// A log file read front to back: frames of a 4-byte little-endian length and that many bytes of chunk. A name that
/// ends in <c>.zst</c> is decompressed on the way; <c>-</c> is standard input. One buffer is reused for every chunk.
/// </summary>
internal sealed class ChunkLog : IDisposable
{
    /// <summary>
    /// Above any chunk that Raft would send, below what would exhaust memory when the length is garbage.
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

    /// <summary>What errors call the log.</summary>
    public string Name { get; }

    /// <summary>Where the current chunk's frame began, in decompressed bytes.</summary>
    public long FrameOffset { get; private set; }

    /// <summary>Decompressed bytes read so far.</summary>
    public long Position { get; private set; }

    /// <summary>How much of the file has been read, 0 to 1; null when its size is not known.</summary>
    public double? Progress => _stored.CanSeek && _stored.Length > 0 ? (double)_stored.Position / _stored.Length : null;

    /// <summary>
    /// Reads the next chunk, which the next <see cref="TryReadChunk"/> gives again; false at a clean end.
    /// </summary>
    /// <param name="chunk">Valid until the call after that.</param>
    public bool TryPeekChunk(out ReadOnlyMemory<byte> chunk)
    {
        if (!TryReadChunk(out chunk)) return false;
        _peeked = chunk;
        return true;
    }

    /// <summary>Reads the next chunk; false at a clean end.</summary>
    /// <param name="chunk">Valid until the next call.</param>
    public bool TryReadChunk(out ReadOnlyMemory<byte> chunk)
    {
        if (_peeked is { } peeked)
        {
            (chunk, _peeked) = (peeked, null);
            return true;
        }

        chunk = default;
        FrameOffset = Position;
        var header = ReadFully(4);
        if (header == 0) return false;
        if (header < 4) throw Malformed("the log ends inside a frame's length");
        var length = BinaryPrimitives.ReadUInt32LittleEndian(_buffer);
        if (length > FrameBytesMax) throw Malformed($"a frame of {length} bytes is over the limit of {FrameBytesMax}");
        var read = ReadFully((int)length);
        if (read < length) throw Malformed($"the log ends after {read} of a frame's {length} bytes");
        chunk = _buffer.AsMemory(0, read);
        return true;
    }

    /// <summary>An error of the current frame, with the place where it stands.</summary>
    public UsageException Malformed(string reason) =>
        new($"{Name}: bad chunk in the frame at offset {FrameOffset}: {reason}");

    public void Dispose()
    {
        _frames.Dispose();
        _stored.Dispose();
    }

    // The buffer grows with the bytes that arrive, not with the length that a frame claims.
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
                throw Malformed($"not decompressible: {failure.Message}");
            }

            if (read == 0) break;
            filled += read;
            Position += read;
        }

        return filled;
    }
}
