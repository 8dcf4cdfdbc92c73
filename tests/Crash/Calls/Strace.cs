using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Varve.Tests.Crash.Calls;

/// <summary>One call that strace saw.</summary>
internal sealed partial record SeenCall(int Thread, string Name, string Line, bool IsInjected)
{
    /// <summary>
    /// The file of the call: the last path in its line that is the directory or below it (strace names the files of
    /// descriptors), without random identities.
    /// </summary>
    public string Target(string directory)
    {
        var at = Line.LastIndexOf(directory, StringComparison.Ordinal);
        if (at < 0) return "";
        var rest = Line.AsSpan(at + directory.Length);
        var end = rest.IndexOfAny('"', '>');
        return "." + Identity().Replace(end < 0 ? rest.ToString() : rest[..end].ToString(), "*");
    }

    [GeneratedRegex("[0-9a-f]{32}|(?<=\\.varve-[0-9a-f]{16}-)[0-9a-f]{16}")]
    private static partial Regex Identity();
}

/// <summary>strace, attached to a process that is prepared and waits: only calls from then on count.</summary>
internal sealed partial class Strace : IDisposable
{
    private readonly Process _process;
    private readonly string _output;
    private readonly TaskCompletionSource<bool> _attached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Strace(int processId, string output, IEnumerable<string> calls, string? injection)
    {
        _output = output;
        var start = new ProcessStartInfo("strace") { RedirectStandardError = true };
        foreach (var argument in (IEnumerable<string>)[
            "-f", "-y", "-o", output, "-e", $"trace={string.Join(',', calls)}", "-e", "signal=none"])
            start.ArgumentList.Add(argument);
        if (injection is not null)
        {
            start.ArgumentList.Add("-e");
            start.ArgumentList.Add($"inject={injection}");
        }

        start.ArgumentList.Add("-p");
        start.ArgumentList.Add($"{processId}");
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, e) =>
        {
            if (e.Data is null) _attached.TrySetResult(false);
            else if (e.Data.Contains("attached", StringComparison.Ordinal)) _attached.TrySetResult(true);
        };
        _process.BeginErrorReadLine();
    }

    public Task<bool> AttachedAsync() => _attached.Task;

    /// <summary>Why it cannot be used here; null: it can.</summary>
    public static string? WhyNot()
    {
        try
        {
            var start = new ProcessStartInfo("strace") { RedirectStandardError = true, RedirectStandardOutput = true };
            foreach (var argument in (string[])["-f", "-e", "inject=fsync:error=EIO:when=1", "true"])
                start.ArgumentList.Add(argument);
            using var trial = Process.Start(start)!;
            trial.WaitForExit();
            return trial.ExitCode == 0 ? null : "strace may not trace here";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "strace is not installed";
        }
    }

    public async Task<List<SeenCall>> EndAsync()
    {
        await _process.WaitForExitAsync();
        var calls = new List<SeenCall>();
        var unfinished = new Dictionary<string, int>();
        foreach (var line in await File.ReadAllLinesAsync(_output))
        {
            var isInjected = line.Contains("INJECTED", StringComparison.Ordinal);
            if (Call().Match(line) is { Success: true } call)
            {
                if (line.Contains("<unfinished", StringComparison.Ordinal))
                    unfinished[call.Groups[1].Value] = calls.Count;
                calls.Add(new SeenCall(
                    int.Parse(call.Groups[1].Value, CultureInfo.InvariantCulture), call.Groups[2].Value, line,
                    isInjected));
            }
            else if (Resumed().Match(line) is { Success: true } resumed
                && unfinished.Remove(resumed.Groups[1].Value, out var at))
            {
                calls[at] = calls[at] with { Line = calls[at].Line + line, IsInjected = isInjected };
            }
        }

        return calls;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    [GeneratedRegex(@"^(\d+) +(\w+)\(")]
    private static partial Regex Call();

    [GeneratedRegex(@"^(\d+) +<\.\.\. \w+ resumed>")]
    private static partial Regex Resumed();
}
