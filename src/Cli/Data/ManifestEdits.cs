using Varve.Contract;
using Varve.Format;

namespace Varve.Cli.Data;

/// <summary>
/// Reads the version edits of a manifest file in order, up to the first place without a valid record. It does not look
/// for records beyond that place: <c>verify</c> does.
/// </summary>
internal ref struct ManifestEdits
{
    private readonly ReadOnlySpan<byte> _file;
    private readonly string _path;

    /// <exception cref="CorruptionException">The header is damaged.</exception>
    /// <exception cref="UnsupportedFormatException">A newer build wrote the file.</exception>
    public ManifestEdits(ReadOnlySpan<byte> file, string path)
    {
        if (!ManifestLog.TryDecodeHeader(file, out var databaseId, out var salt, out var error))
            throw DecodeFailure.Of(path, 0, CorruptionKind.ManifestHeader, error);
        _file = file;
        (_path, DatabaseId, Salt, End) = (path, databaseId, salt, ManifestLog.HeaderSize);
    }

    public Guid DatabaseId { get; }

    public ulong Salt { get; }

    /// <summary>The edit that <see cref="Read"/> found.</summary>
    public VersionEdit Current { get; private set; } = null!;

    /// <summary>The offset of the record that <see cref="Read"/> looked at.</summary>
    public long Offset { get; private set; }

    /// <summary>The end of the last record.</summary>
    public long End { get; private set; }

    /// <summary>Reads the next edit into <see cref="Current"/>, if there is one.</summary>
    /// <exception cref="CorruptionException">A valid record holds no valid edit.</exception>
    /// <exception cref="UnsupportedFormatException">A newer build wrote the edit.</exception>
    public ManifestReadResult Read()
    {
        Offset = End;
        var result = ManifestLog.TryReadRecord(_file, Offset, Salt, out var payload, out var next);
        if (result != ManifestReadResult.Record) return result;
        if (!VersionEditCodec.TryDecode(payload, out var edit, out var error))
            throw DecodeFailure.Of(
                _path, Offset + ManifestLog.RecordHeaderSize, CorruptionKind.VersionEdit, error);
        (Current, End) = (edit, next);
        return result;
    }
}
