using System.Reflection;
using System.Runtime.InteropServices;

namespace Varve.Bench.Peers.Reports;

/// <summary>The conditions of a result besides the code.</summary>
internal sealed record Machine(
    string Processor, int Cores, double MemoryGiB, string Kernel, string FileSystem, string Runtime,
    IReadOnlyDictionary<string, string> Packages)
{
    public static Machine Describe() => new(
        Field("/proc/cpuinfo", "model name"),
        Environment.ProcessorCount,
        Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1 << 30), 1),
        $"{RuntimeInformation.OSDescription}, kernel {ReadLine("/proc/sys/kernel/osrelease")}",
        FileSystemOf(Environment.CurrentDirectory),
        RuntimeInformation.FrameworkDescription,
        new SortedDictionary<string, string>
        {
            ["Varve"] = Version(typeof(LsmStateMachine).Assembly),
            ["RocksDB"] = Version(typeof(RocksDbSharp.RocksDb).Assembly),
            ["LightningDB"] = Version(typeof(LightningDB.LightningEnvironment).Assembly),
            ["ZoneTree"] = Version(typeof(ZoneTree.IMaintainer).Assembly),
        });

    /// <summary>True if figures of both may be in one report.</summary>
    public bool IsLike(Machine other) => (Processor, Cores, Kernel, FileSystem, Runtime) == (
        other.Processor, other.Cores, other.Kernel, other.FileSystem, other.Runtime);

    private static string Version(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? assembly.GetName().Version!.ToString();

    private static string Field(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
        ?? "unknown";

    private static string ReadLine(string file) => File.Exists(file) ? File.ReadLines(file).First() : "";

    private static string FileSystemOf(string directory)
    {
        try
        {
            return DriveInfo.GetDrives()
                .Where(d => directory.StartsWith(d.Name, StringComparison.Ordinal))
                .MaxBy(d => d.Name.Length)?.DriveFormat ?? "unknown";
        }
        catch (IOException)
        {
            return "unknown";
        }
    }
}
