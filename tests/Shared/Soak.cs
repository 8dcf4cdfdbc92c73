using System.Globalization;

namespace Varve.Tests.Shared;

/// <summary>
/// The numbers of a run whose length anyone may choose: <c>--name value</c> on the command line of a test project,
/// short defaults as a test. Every run says its seed, and replays from it.
/// </summary>
internal sealed class Soak
{
    private readonly Dictionary<string, string> _arguments = [];
    private readonly Action<string> _write;
    private readonly System.Diagnostics.Stopwatch _time = System.Diagnostics.Stopwatch.StartNew();
    private readonly object _lock = new(); // not a Lock: tests/Schedules puts that name under control
    private TimeSpan _next = TimeSpan.FromSeconds(10);

    public Soak(Action<string> write, params ReadOnlySpan<string> arguments)
    {
        _write = write;
        for (var i = 0; i + 1 < arguments.Length; i += 2)
        {
            if (!arguments[i].StartsWith("--", StringComparison.Ordinal))
                throw new ArgumentException($"{arguments[i]} is no option: --name value");
            _arguments[arguments[i][2..]] = arguments[i + 1];
        }

        if (arguments.Length % 2 != 0) throw new ArgumentException($"{arguments[^1]} has no value");
        Seed = (ulong)Number("seed", Random.Shared.NextInt64(1, uint.MaxValue));
        write($"seed {Seed}");
    }

    public ulong Seed { get; }

    public TimeSpan Elapsed => _time.Elapsed;

    public long Number(string name, long otherwise) =>
        _arguments.TryGetValue(name, out var text)
            ? long.Parse(text.Replace("_", "", StringComparison.Ordinal), CultureInfo.InvariantCulture)
            : otherwise;

    public string Text(string name, string otherwise) => _arguments.GetValueOrDefault(name, otherwise);

    public void Write(string line)
    {
        lock (_lock) _write(line);
    }

    /// <summary>Says how far it is, every ten seconds. Any thread.</summary>
    public void Progress(Func<string> line)
    {
        lock (_lock)
        {
            if (_time.Elapsed < _next) return;
            _next = _time.Elapsed + TimeSpan.FromSeconds(10);
            _write($"{_time.Elapsed:hh\\:mm\\:ss} {line()}");
        }
    }

    /// <summary>
    /// The command line of a test project: the name of a soak, then its numbers. 0: nothing was found.
    /// </summary>
    public static async Task<int> RunAsync(string[] arguments, Dictionary<string, Func<Soak, Task>> soaks)
    {
        if (arguments.Length == 0 || !soaks.TryGetValue(arguments[0], out var run))
        {
            await Console.Error.WriteLineAsync($"Name one of: {string.Join(", ", soaks.Keys)}; then --name value.");
            return 2;
        }

        var soak = new Soak(Console.WriteLine, arguments[1..]);
        try
        {
            await run(soak);
        }
#pragma warning disable CA1031 // Whatever it is, it is what was found.
        catch (Exception e)
#pragma warning restore CA1031
        {
            await Console.Error.WriteLineAsync($"FOUND with seed {soak.Seed}: {e}");
            return 1;
        }

        soak.Write($"done in {soak.Elapsed:hh\\:mm\\:ss\\.f}, seed {soak.Seed}");
        return 0;
    }
}
