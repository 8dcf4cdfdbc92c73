namespace Varve.Bench.Peers;

/// <summary>
/// A memory cgroup below the one of this process, of version 1 or 2, whichever the machine has; removed again at the
/// end.
/// </summary>
internal sealed class MemoryCap : IDisposable
{
    private const string Root = "/sys/fs/cgroup";
    private readonly string _path;

    private MemoryCap(string path) => _path = path;

    /// <exception cref="NotSupportedException">There is no memory controller that this process may use; the message
    /// says what was in the way.</exception>
    public static MemoryCap Create(long bytes)
    {
        var lines = File.ReadAllLines("/proc/self/cgroup").Select(l => l.Split(':', 3)).ToList();
        var old = lines.FirstOrDefault(l => l[1].Split(',').Contains("memory"));
        var (parent, limit) = old is not null
            ? (Root + "/memory" + old[2], "memory.limit_in_bytes")
            : (Root + lines.First(l => l[0] == "0")[2], "memory.max");
        var path = Path.Combine(parent, $"varve-peers-{Environment.ProcessId}");
        try
        {
            if (old is null) File.WriteAllText(Path.Combine(parent, "cgroup.subtree_control"), "+memory");
            Directory.CreateDirectory(path);
            File.WriteAllText(
                Path.Combine(path, limit), bytes.ToString(System.Globalization.CultureInfo.InvariantCulture));
            return new MemoryCap(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (Directory.Exists(path)) Directory.Delete(path);
            throw new NotSupportedException($"skipped: no memory cgroup to be had ({e.Message})");
        }
    }

    /// <summary>The prefix of a command line that makes it run within the cap.</summary>
    public IEnumerable<string> Enter() => ["/bin/sh", "-c", $"echo $$ > '{_path}/cgroup.procs' && exec \"$@\"", "sh"];

    public void Dispose() => Directory.Delete(_path);
}
