namespace Varve.Cli.Text;

/// <summary>Exit codes of the process; frozen, since scripts depend on them.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>The command line or its input is invalid, or the key is absent.</summary>
    public const int Usage = 1;

    /// <summary>Stored bytes are damaged or unsupported, or an answer differs from the known one.</summary>
    public const int Corruption = 2;

    /// <summary>The file system failed, or another process holds the directory's lock.</summary>
    public const int InputOutput = 3;

    /// <summary>Interrupted from the keyboard: 128 + SIGINT, the convention of shells.</summary>
    public const int Interrupted = 130;
}
