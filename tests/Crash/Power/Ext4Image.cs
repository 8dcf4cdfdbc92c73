using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Varve.Tests.Crash.Power;

/// <summary>Ways to shut the file system down; the kernel's own numbers (EXT4_GOING_FLAGS).</summary>
internal enum CutMode : uint
{
    /// <summary>Writes out everything first.</summary>
    Default = 0,

    /// <summary>The journal is flushed first, data is not.</summary>
    FlushJournal = 1,

    /// <summary>Nothing is flushed: unsynced data is gone.</summary>
    Nothing = 2,
}

/// <summary>
/// An ext4 file system in a file, on a loop device, whose power can be cut. Needs root. Gone when it is disposed of.
/// </summary>
internal sealed partial class Ext4Image : IDisposable
{
    private const string Prefix = "varve-power-";
    private const uint ShutdownRequest = 0x8004587d;
    private const int WriteAndWait = 7;
    private const int UnmountTries = 500;
    private readonly string _image;
    private readonly string _device;
    private bool _isMounted;

    public Ext4Image(string parent, int megabytes)
    {
        var name = $"{Prefix}{Environment.ProcessId}-{Guid.NewGuid():N}";
        _image = Path.Combine(parent, name + ".img");
        Root = Path.Combine(parent, name);
        Directory.CreateDirectory(Root);
        _device = "";
        try
        {
            using (var file = new FileStream(_image, FileMode.CreateNew)) file.SetLength((long)megabytes << 20);
            Run("mkfs.ext4", "-q", "-F", "-J", "size=8", "-E", "lazy_itable_init=0,lazy_journal_init=0", _image);
            _device = Run("losetup", "--find", "--show", _image).Trim();
            Mount();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Root { get; }

    /// <summary>Why it cannot be done here; null: it can. Removes what an earlier run that died left behind.</summary>
    public static string? WhyNot(string parent)
    {
        if (!OperatingSystem.IsLinux()) return "this is not Linux";
        if (Environment.UserName != "root") return "it needs root";
        try
        {
            Sweep(parent);
            using var trial = new Ext4Image(parent, 64);
            trial.Cut(CutMode.Nothing);
            return null;
        }
        catch (Exception e) when (e is IOException or Win32Exception)
        {
            return e.Message.ReplaceLineEndings(" ");
        }
    }

    public void Mount()
    {
        Run("mount", "-t", "ext4", _device, Root);
        _isMounted = true;
    }

    /// <summary>
    /// Tries again for a while: a process that is being started has a copy of every descriptor, until it is there.
    /// </summary>
    public void Unmount()
    {
        using var never = new ManualResetEventSlim();
        for (var tries = UnmountTries; _isMounted; tries--)
        {
            try
            {
                Run("umount", Root);
                _isMounted = false;
            }
            catch (IOException) when (tries > 1)
            {
                never.Wait(10);
            }
        }
    }

    public void Cut(CutMode mode)
    {
        using var root = OpenPath(Root);
        if (Control(root, ShutdownRequest, mode) != 0)
            throw new IOException($"The shutdown ioctl failed: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>
    /// Has some pages of a file written out, as a kernel does that is short of memory; nothing that names them.
    /// </summary>
    public static void WriteOut(string path, long from, long length)
    {
        using var file = OpenPath(path);
        _ = SyncFileRange(file, from, length, WriteAndWait); // a file that is gone by now is no matter
    }

    public void Dispose()
    {
        try
        {
            Unmount();
        }
        catch (IOException e)
        {
            // The failure that led here is the result; the next run sweeps.
            Console.Error.WriteLine(e.Message);
            return;
        }

        if (_device.Length > 0) TryRun("losetup", "--detach", _device);
        if (Directory.Exists(Root)) Directory.Delete(Root);
        File.Delete(_image);
    }

    private static void Sweep(string parent)
    {
        foreach (var image in Directory.GetFiles(parent, Prefix + "*.img"))
        {
            var owner = Path.GetFileName(image)[Prefix.Length..].Split('-')[0];
            if (Directory.Exists($"/proc/{owner}")) continue;
            var root = image[..^".img".Length];
            TryRun("umount", root);
            foreach (var line in Run("losetup", "--associated", image).Split(
                '\n', StringSplitOptions.RemoveEmptyEntries))
                TryRun("losetup", "--detach", line.Split(':')[0]);
            if (Directory.Exists(root)) Directory.Delete(root);
            File.Delete(image);
        }
    }

    private static void TryRun(string command, params string[] arguments)
    {
        try
        {
            Run(command, arguments);
        }
        catch (IOException e)
        {
            Console.Error.WriteLine(e.Message);
        }
    }

    private static string Run(string command, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new IOException($"{command} {string.Join(' ', arguments)}: {errors.GetAwaiter().GetResult()}");
    }

    private static Microsoft.Win32.SafeHandles.SafeFileHandle OpenPath(string path)
    {
        var descriptor = Open(path, 0);
        return descriptor >= 0
            ? new(descriptor, ownsHandle: true)
            : throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(Microsoft.Win32.SafeHandles.SafeFileHandle file, nuint request, in CutMode mode);

    [LibraryImport("libc", EntryPoint = "sync_file_range", SetLastError = true)]
    private static partial int SyncFileRange(
        Microsoft.Win32.SafeHandles.SafeFileHandle file, long offset, long length, uint flags);
}
