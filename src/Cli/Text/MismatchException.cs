namespace Varve.Cli.Text;

/// <summary>An answer differs from the known one.</summary>
internal sealed class MismatchException(string message) : Exception(message);
