namespace Varve.Cli.Text;

/// <summary>The command line or its input is at fault; the message is the whole line that the user sees.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>An answer is not the known one.</summary>
internal sealed class MismatchException(string message) : Exception(message);

/// <summary>Turns a failure into one line and an exit code.</summary>
internal static class Failure
{
    /// <summary>The exit code of an expected failure; null for a bug, whose stack the user should see.</summary>
    public static int? ExitCodeOf(Exception failure) => failure switch
    {
        UsageException or ArgumentException or InvalidOperationException and not ObjectDisposedException
            or NotSupportedException => ExitCode.Usage,
        LogGapException or DuplicateEntryException => ExitCode.Usage,
        MismatchException or CorruptionException or UnsupportedFormatException or SnapshotRejectedException =>
            ExitCode.Corruption,
        IOException or UnauthorizedAccessException => ExitCode.InputOutput,
        OperationCanceledException => ExitCode.Interrupted,
        _ => null,
    };

    /// <summary>The failure in one line.</summary>
    public static string LineOf(Exception failure) => "varve: " + MessageOf(failure);

    /// <summary>The failure's message on one line, without the names of parameters.</summary>
    public static string MessageOf(Exception failure)
    {
        var message = failure is OperationCanceledException ? "interrupted" : failure.Message;
        if (failure is ArgumentException { ParamName: { } name })
            message = message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal);
        return message.ReplaceLineEndings(" ").Trim();
    }
}
