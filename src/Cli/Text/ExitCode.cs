namespace Varve.Cli.Text;

/// <summary>Exit codes of the process; frozen, since scripts depend on them.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>The command line or its input is invalid.</summary>
    public const int Usage = 1;

    /// <summary>Stored bytes are damaged or unsupported, or an answer differs from the known one.</summary>
    public const int Corruption = 2;

    /// <summary>The file system failed, or another process holds the directory's lock.</summary>
    public const int InputOutput = 3;

    /// <summary>
    /// The key is absent, or the log no longer has the changes. 4 and 5 are reserved for failures of a cluster.
    /// </summary>
    public const int NotFound = 6;

    /// <summary>Interrupted from the keyboard: 128 + SIGINT, the convention of shells.</summary>
    public const int Interrupted = 130;
}
