using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Varve.Bench.Peers;

/// <summary>
/// The limit of the durable rows: pwrite + fdatasync of the same number of bytes into a file already written through,
/// by the same process.
/// </summary>
internal sealed unsafe partial class RawDevice : IDisposable
{
    private const int FileBytes = 64 << 20;
    private readonly SafeFileHandle _file;
    private readonly byte[] _data;
    private long _at;

    public RawDevice(string path, int bytes)
    {
        _data = new byte[bytes];
        new Random(1).NextBytes(_data);
        _file = File.OpenHandle(
            path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.None, FileBytes);
        var zeros = new byte[1 << 20];
        for (var at = 0; at < FileBytes; at += zeros.Length) RandomAccess.Write(_file, zeros, at);
        if (fsync((int)_file.DangerousGetHandle()) != 0) throw new IOException("fsync failed");
    }

    public void Write()
    {
        if (_at + _data.Length > FileBytes) _at = 0;
        fixed (byte* data = _data)
            if (pwrite((int)_file.DangerousGetHandle(), data, (nuint)_data.Length, _at) != _data.Length)
                throw new IOException("pwrite failed");
        if (fdatasync((int)_file.DangerousGetHandle()) != 0) throw new IOException("fdatasync failed");
        _at += _data.Length;
    }

    public void Dispose() => _file.Dispose();

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pwrite(int file, byte* data, nuint bytes, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(int file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int file);
}
