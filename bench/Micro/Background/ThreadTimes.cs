using System.Globalization;

namespace Varve.Bench.Micro.Background;

/// <summary>
/// Processor time of this process' threads by their names, as the kernel counts it. Linux only; nothing elsewhere.
/// </summary>
internal sealed class ThreadTimes
{
    private readonly Dictionary<string, double> _seconds = [];

    public ThreadTimes()
    {
        if (!OperatingSystem.IsLinux()) return;
        foreach (var task in Directory.EnumerateDirectories("/proc/self/task"))
        {
            try
            {
                var name = File.ReadAllText(Path.Combine(task, "comm")).Trim();
                var nanoseconds = double.Parse(
                    File.ReadAllText(Path.Combine(task, "schedstat")).Split(' ')[0], CultureInfo.InvariantCulture);
                _seconds[name] = _seconds.GetValueOrDefault(name) + nanoseconds / 1e9;
            }
            catch (IOException)
            {
                // The thread has ended meanwhile.
            }
        }
    }

    /// <summary>Seconds of a name since an earlier reading.</summary>
    public double Since(ThreadTimes before, string name) =>
        _seconds.GetValueOrDefault(name) - before._seconds.GetValueOrDefault(name);

    /// <summary>Bytes that this process has caused to be written to the device, or dirtied in mapped files.</summary>
    public static long WrittenBytes =>
        OperatingSystem.IsLinux() && File.ReadLines("/proc/self/io")
            .FirstOrDefault(line => line.StartsWith("write_bytes:", StringComparison.Ordinal)) is { } line
            ? long.Parse(line["write_bytes:".Length..], CultureInfo.InvariantCulture) : 0;
}
