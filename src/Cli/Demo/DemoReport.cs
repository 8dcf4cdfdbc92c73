using System.Globalization;
using Spectre.Console;
using Varve.Cli.Text;

namespace Varve.Cli.Demo;

/// <summary>The output of the demo: facts as they are checked, and a table of figures at the end.</summary>
internal sealed class DemoReport
{
    private readonly Table _figures = new Table().Border(TableBorder.Simple)
        .AddColumn("work").AddColumn(new TableColumn("amount").RightAligned())
        .AddColumn(new TableColumn("time").RightAligned()).AddColumn(new TableColumn("rate").RightAligned());

    private int _step;

    public void Step(string title)
    {
        Console.Out.WriteLine();
        AnsiConsole.MarkupLineInterpolated($"[bold]{++_step}. {title}[/]");
    }

    public void Fact(string text) => Console.Out.WriteLine("   " + text);

    /// <summary>Prints that an answer is the known one.</summary>
    /// <exception cref="MismatchException">The answer differs.</exception>
    public void Check<T>(string what, T expected, T actual) where T : notnull
    {
        Require(what, expected, actual);
        Fact($"ok: {what}: {Shorten(actual)}");
    }

    /// <summary>Checks an answer as <see cref="Check{T}"/> does, and prints nothing.</summary>
    /// <exception cref="MismatchException">The answer differs.</exception>
    public static void Require<T>(string what, T expected, T actual) where T : notnull
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
            throw new MismatchException($"{what}: expected {expected}, found {actual}");
    }

    public void Figure(string what, long amount, string unit, TimeSpan time)
    {
        var rate = amount / Math.Max(time.TotalSeconds, 1e-9);
        _figures.AddRow(
            new Spectre.Console.Text(what), new Spectre.Console.Text($"{SizeText.Count(amount)} {unit}"),
            new Spectre.Console.Text(string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:N1} ms")),
            new Spectre.Console.Text(string.Create(CultureInfo.InvariantCulture, $"{rate:N0} {unit}/s")));
    }

    public void WriteFigures()
    {
        Console.Out.WriteLine();
        AnsiConsole.Write(_figures);
    }

    private static string Shorten<T>(T value) where T : notnull
    {
        if (value is LogId id) return $"index {id.Index}, term {id.Term}";
        var text = value.ToString() ?? "";
        return text.Length == 64 ? text[..16] + "..." : text;
    }
}
