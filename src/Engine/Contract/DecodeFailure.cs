using Varve.Format;

namespace Varve.Contract;

/// <summary>Makes the exception for a codec's error: it adds the file and the offset in it.</summary>
internal static class DecodeFailure
{
    /// <summary>
    /// Makes an unsupported format if the bytes are intact and of a newer build, otherwise a corruption.
    /// </summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="start">Offset in the file of the span that the codec decoded.</param>
    /// <param name="kind">The structure that was decoded.</param>
    /// <param name="error">The codec's error.</param>
    public static VarveException Of(string path, long start, string kind, DecodeError error) => error.IsUnsupported
        ? new UnsupportedFormatException(path, start + error.Offset, error.Reason)
        : CorruptionException.Of(path, start + error.Offset, kind, error.Reason);
}
