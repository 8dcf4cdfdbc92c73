using System.Diagnostics;

namespace Varve.Cli.Text;

/// <summary>
/// Shows on standard error which file is being read: on a terminal one line that is overwritten, otherwise one line a
/// file, or nothing.
/// </summary>
internal sealed class ReadingProgress : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly bool _isTerminal;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private string? _file;
    private TimeSpan _shown;
    private bool _isLineOpen;

    private ReadingProgress(bool isTerminal) => _isTerminal = isTerminal;

    /// <summary>Receives the path and the bytes read; null if nothing is shown.</summary>
    public Action<string, long>? Report { get; private init; }

    /// <param name="isAsked">Whether the user asks for lines if there is no terminal.</param>
    public static ReadingProgress Create(bool isAsked)
    {
        var isTerminal = !Console.IsErrorRedirected;
        ReadingProgress? progress = null;
        progress = new ReadingProgress(isTerminal)
        {
            Report = isTerminal || isAsked ? (file, bytes) => progress!.Show(file, bytes) : null
        };
        return progress;
    }

    /// <summary>Clears the open line.</summary>
    public void Dispose()
    {
        if (_isLineOpen) Console.Error.Write("\r\x1b[K");
        _isLineOpen = false;
    }

    private void Show(string file, long bytes)
    {
        if (!_isTerminal)
        {
            if (file != _file) Console.Error.WriteLine($"reading {file}");
            _file = file;
            return;
        }

        if (_clock.Elapsed - _shown < Interval) return;
        _shown = _clock.Elapsed;
        Console.Error.Write($"\r\x1b[Kreading {Path.GetFileName(file)}, {SizeText.Format(bytes)} so far");
        _isLineOpen = true;
    }
}
