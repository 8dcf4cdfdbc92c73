using System.Runtime.InteropServices;

namespace Varve.Bench.Micro;

/// <summary>
/// The processor time of this thread. On a machine that is shared with other work it says what the code costs, where a
/// wall clock says how often the thread had to wait for a core. Linux only; a wall clock elsewhere.
/// </summary>
internal static partial class ThreadClock
{
    private const int ThreadCpuTime = 3;

    public static double Nanoseconds
    {
        get
        {
            if (OperatingSystem.IsLinux() && ClockGetTime(ThreadCpuTime, out var time) == 0)
                return time.Seconds * 1e9 + time.Nanoseconds;
            return System.Diagnostics.Stopwatch.GetElapsedTime(0).TotalNanoseconds;
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpec time);
}
