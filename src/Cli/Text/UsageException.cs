namespace Varve.Cli.Text;

/// <summary>The command line or its input is invalid. The message is the whole line for the user.</summary>
internal sealed class UsageException(string message) : Exception(message);
