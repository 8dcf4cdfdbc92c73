using System.IO.MemoryMappedFiles;

namespace Varve.Fuzz;

/// <summary>
/// The input being executed, in a mapped file: it survives the death of the process, which is what a read out of bounds
/// ends in. Removed at a clean end.
/// </summary>
internal sealed class InFlight : IDisposable
{
    private const int Capacity = 1 << 20;

    private readonly string _path;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    public InFlight(string target)
    {
        Directory.CreateDirectory(Places.Findings);
        _path = Path.Combine(Places.Findings, target + ".inflight");
        KeepLeftover(_path);
        _file = MemoryMappedFile.CreateFromFile(_path, FileMode.Create, null, Capacity);
        _view = _file.CreateViewAccessor();
    }

    /// <summary>Notes an input: its length, then its bytes.</summary>
    public void Note(byte[] input)
    {
        var length = Math.Min(input.Length, Capacity - sizeof(int));
        _view.Write(0, length);
        _view.WriteArray(sizeof(int), input, 0, length);
    }

    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
        File.Delete(_path);
    }

    /// <summary>A file that is still there is of a run that died: its input is a finding.</summary>
    private static void KeepLeftover(string path)
    {
        if (!File.Exists(path)) return;
        var bytes = File.ReadAllBytes(path);
        var length = bytes.Length < sizeof(int) ? -1 : BitConverter.ToInt32(bytes);
        if (length < 0 || length > bytes.Length - sizeof(int)) return;
        var kept = path.Replace(".inflight", $"-crash-{Environment.TickCount64}.bin", StringComparison.Ordinal);
        File.WriteAllBytes(kept, bytes.AsSpan(sizeof(int), length));
        Console.WriteLine($"An earlier run died; its last input is {kept}");
    }
}
