using System.Diagnostics;

namespace Varve.Cli.Text;

/// <summary>
/// Says on standard error how far the reading of many files is: one line that is written over on a terminal, else a
/// line a file, or nothing.
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

    /// <summary>What to report to; null: nobody looks.</summary>
    public Action<string, long>? Report { get; private init; }

    /// <param name="isAsked">The user asks for lines where there is no terminal.</param>
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

    /// <summary>Clears the line.</summary>
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
