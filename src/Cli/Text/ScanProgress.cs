using System.Diagnostics;

namespace Varve.Cli.Text;

/// <summary>
/// Shows on standard error how far a long read has come, in one line that is overwritten. Shows nothing if standard
/// error is no terminal.
/// </summary>
/// <param name="verb">The work, such as <c>counting</c>.</param>
/// <param name="expected">The number of keys that it reads at most; null if unknown.</param>
internal sealed class ScanProgress(string verb, long? expected = null) : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly bool _isTerminal = !Console.IsErrorRedirected;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private TimeSpan _shown;
    private bool _isLineOpen;

    public void Report(long keys, long bytes)
    {
        if (!_isTerminal || _clock.Elapsed - _shown < Interval) return;
        _shown = _clock.Elapsed;
        var share = expected is > 0 and var all ? $" of {SizeText.Count(all)}" : "";
        Console.Error.Write($"\r\x1b[K{verb}: {SizeText.Count(keys)}{share} keys, {SizeText.Format(bytes)}");
        _isLineOpen = true;
    }

    /// <summary>Clears the open line.</summary>
    public void Dispose()
    {
        if (_isLineOpen) Console.Error.Write("\r\x1b[K");
        _isLineOpen = false;
    }
}
