namespace Varve.Cli.Text;

/// <summary>What the process ends with. Scripts depend on these.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>The command line, or the input it names, cannot be used; a key that is not there.</summary>
    public const int Usage = 1;

    /// <summary>Stored bytes are not what they should be, or an answer differs from the known one.</summary>
    public const int Corruption = 2;

    /// <summary>The file system or the directory lock said no.</summary>
    public const int InputOutput = 3;

    /// <summary>Interrupted from the keyboard: 128 + SIGINT, as shells have it.</summary>
    public const int Interrupted = 130;
}
