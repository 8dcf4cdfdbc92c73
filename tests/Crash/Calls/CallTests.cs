using Varve.Tests.Shared;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Crash.Calls;

/// <summary>
/// A kill or an error at any single file system call leaves exactly the state before or after, and nothing acknowledged
/// is lost. A sample; the long run takes all. Needs strace, and reports its absence.
/// </summary>
public sealed class CallTests(ITestOutputHelper output)
{
    [Fact]
    public Task KillAtFileSystemCallLeavesStateBeforeOrAfter() =>
        CallLoop.KillAsync(new Soak(output.WriteLine, "--points", "24"));

    [Fact]
    public Task ErrorOfFileSystemCallIsTypedAndLosesNothing() =>
        CallLoop.FailAsync(new Soak(output.WriteLine, "--points", "16"));
}
