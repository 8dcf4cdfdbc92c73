using Varve.Format;

namespace Varve.Contract;

/// <summary>Turns what a codec says of some bytes into the exception that names the file.</summary>
internal static class DecodeFailure
{
    /// <summary>An unsupported format if the bytes are intact and another build's, and corruption otherwise.</summary>
    /// <param name="path">The file.</param>
    /// <param name="start">Where in the file the span began that the codec was given.</param>
    /// <param name="kind">What was being read there.</param>
    /// <param name="error">The codec's answer.</param>
    public static VarveException Of(string path, long start, string kind, DecodeError error) => error.IsUnsupported
        ? new UnsupportedFormatException(path, start + error.Offset, error.Reason)
        : CorruptionException.Of(path, start + error.Offset, kind, error.Reason);
}
