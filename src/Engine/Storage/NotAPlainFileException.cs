namespace Varve.Storage;

/// <summary>
/// The path names a link, a pipe, a socket or a directory, not a plain file. It was neither followed nor read.
/// </summary>
internal sealed class NotAPlainFileException(string message, int error) : IOException(message, error);
