namespace Varve.Cli.Text;

/// <summary>Turns a failure into one line and an exit code.</summary>
internal static class Failure
{
    /// <summary>
    /// Returns the exit code of an expected failure; null for a bug, which the tool reports with its stack.
    /// </summary>
    public static int? ExitCodeOf(Exception failure) => failure switch
    {
        EngineFaultedException => ExitCode.InputOutput, // a state that a failure of the disk left
        UsageException or ArgumentException or InvalidOperationException and not ObjectDisposedException
            or NotSupportedException => ExitCode.Usage,
        MismatchException or CorruptionException or UnsupportedFormatException or SnapshotRejectedException =>
            ExitCode.Corruption,
        IOException or UnauthorizedAccessException => ExitCode.InputOutput,
        OperationCanceledException => ExitCode.Interrupted,
        _ => null,
    };

    /// <summary>Formats the failure as one line.</summary>
    public static string LineOf(Exception failure) => "varve: " + MessageOf(failure);

    /// <summary>Formats the failure's message on one line, without parameter names.</summary>
    public static string MessageOf(Exception failure)
    {
        var message = failure is OperationCanceledException ? "interrupted" : failure.Message;
        if (failure is ArgumentException { ParamName: { } name })
            message = message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal);
        return message.ReplaceLineEndings(" ").Trim();
    }
}
