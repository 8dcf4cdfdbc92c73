using System.Globalization;
using System.Text;

namespace Varve.Cli.Text;

/// <summary>
/// Shows on standard error how far long work has come: on a terminal a bar with rate and time left, in one line that is
/// overwritten; otherwise a plain line every ten seconds, so that short work prints none.
/// </summary>
internal sealed class LongWork : IDisposable
{
    private const int BarWidth = 20;
    private static readonly TimeSpan TerminalInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(10);

    private readonly string _verb;
    private readonly string _unit;
    private readonly TextWriter _output;
    private readonly int _columns;
    private readonly TimeProvider _clock;
    private readonly long _start;
    private TimeSpan _shown;
    private bool _isLineOpen;

    /// <param name="verb">The work, such as <c>counting</c>.</param>
    /// <param name="unit">What is counted beside bytes, such as <c>keys</c>.</param>
    public LongWork(string verb, string unit = "keys")
        : this(verb, unit, Console.Error, Console.IsErrorRedirected ? 0 : ColumnsOfTerminal(), TimeProvider.System)
    {
    }

    /// <param name="verb">The work.</param>
    /// <param name="unit">What is counted beside bytes.</param>
    /// <param name="output">Gets the lines.</param>
    /// <param name="columns">Width of the terminal; 0: there is none.</param>
    /// <param name="clock">Measures rates.</param>
    internal LongWork(string verb, string unit, TextWriter output, int columns, TimeProvider clock)
    {
        (_verb, _unit, _output, _columns, _clock) = (verb, unit, output, columns, clock);
        _start = clock.GetTimestamp();
    }

    /// <summary>Shows the progress, if the last one shown is old enough.</summary>
    /// <param name="bytes">Bytes done.</param>
    /// <param name="share">Share of the work that is done, 0 to 1; null if unknown.</param>
    /// <param name="count">Keys or other units done; null if they are not counted.</param>
    public void Report(long bytes, double? share = null, long? count = null)
    {
        var elapsed = _clock.GetElapsedTime(_start);
        if (elapsed - _shown < (_columns > 0 ? TerminalInterval : PlainInterval)) return;
        _shown = elapsed;
        if (share is { } number) share = Math.Clamp(number, 0, 1);
        var text = TextOf(bytes, share, count, elapsed);
        if (_columns == 0)
        {
            _output.WriteLine($"{_verb}: {text}");
            return;
        }

        var line = $"{_verb} {(share is { } done ? BarOf(done) + " " : "")}{text}";
        _output.Write("\r\x1b[K" + line[..Math.Min(line.Length, _columns - 1)]);
        _isLineOpen = true;
    }

    /// <summary>Shows the progress of a task, as <paramref name="read"/> finds it, until the task ends.</summary>
    public async Task WatchAsync(Task work, Func<(long Bytes, double? Share)> read)
    {
        while (await Task.WhenAny(work, Task.Delay(TerminalInterval, _clock)).ConfigureAwait(false) != work)
        {
            var (bytes, share) = read();
            Report(bytes, share);
        }

        await work.ConfigureAwait(false);
    }

    /// <summary>The share of the work that is done; null if the whole is unknown or empty.</summary>
    public static double? ShareOf(long done, long? all) => all is > 0 and var whole ? done / (double)whole : null;

    /// <summary>The bytes of a directory's files, also below it; those that vanish meanwhile do not count.</summary>
    public static long BytesOf(string directory, string pattern = "*")
    {
        try
        {
            return new DirectoryInfo(directory).EnumerateFiles(pattern, SearchOption.AllDirectories)
                .Sum(file => file.Exists ? file.Length : 0);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>Clears the open line.</summary>
    public void Dispose()
    {
        if (_isLineOpen) _output.Write("\r\x1b[K");
        _isLineOpen = false;
    }

    private string TextOf(long bytes, double? share, long? count, TimeSpan elapsed)
    {
        var text = new StringBuilder();
        if (share is { } done) text.Append(CultureInfo.InvariantCulture, $"{Math.Floor(done * 100),3} %, ");
        if (count is { } number) text.Append(CultureInfo.InvariantCulture, $"{SizeText.Count(number)} {_unit}, ");
        text.Append(SizeText.Format(bytes));
        if (elapsed <= TimeSpan.Zero) return text.ToString();
        text.Append(CultureInfo.InvariantCulture, $", {SizeText.Format((long)(bytes / elapsed.TotalSeconds))}/s");
        if (share is > 0 and var part)
            text.Append(CultureInfo.InvariantCulture, $", {TimeOf(elapsed * ((1 - part) / part))} left");
        return text.ToString();
    }

    private static string BarOf(double share)
    {
        var full = (int)(share * BarWidth);
        return new string('█', full) + new string('░', BarWidth - full);
    }

    private static string TimeOf(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours}:{time.Minutes:D2}:{time.Seconds:D2}")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}:{time.Seconds:D2}");

    private static int ColumnsOfTerminal()
    {
        try
        {
            return Console.WindowWidth is > 1 and var width ? width : 80;
        }
        catch (IOException)
        {
            return 80;
        }
    }
}
