using Microsoft.Win32.SafeHandles;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Storage;

/// <summary>An exclusive lock of a file that is not the engine's: a backup program's, say.</summary>
internal sealed unsafe class ForeignLock : IDisposable
{
    private readonly SafeFileHandle _handle;

    public ForeignLock(string path)
    {
        _handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var whole = new Libc.FileLock { Type = Libc.F_WRLCK };
        Assert.Equal(0, Libc.ControlLock(_handle, Libc.F_OFD_SETLK, &whole));
    }

    public void Dispose() => _handle.Dispose();
}
