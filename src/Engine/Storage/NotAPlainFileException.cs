namespace Varve.Storage;

/// <summary>
/// Where a file was to be opened stands a link, a pipe, a socket or a directory. Not followed, not waited for, not
/// read.
/// </summary>
internal sealed class NotAPlainFileException(string message, int error) : IOException(message, error);
