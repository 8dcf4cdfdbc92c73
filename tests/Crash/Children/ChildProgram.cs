using Varve.Tests.Crash.Child;
using Varve.Tests.Shared;

namespace Varve.Tests.Crash.Children;

/// <summary>
/// Starts children: by <c>dotnet exec</c>, or as the native program that <c>--child</c> or VARVE_CRASH_CHILD names,
/// which starts many times faster (README.md).
/// </summary>
internal sealed record ChildProgram(string Path, string[] Arguments)
{
    public static ChildProgram Of(Soak soak)
    {
        var native = soak.Text("child", Environment.GetEnvironmentVariable("VARVE_CRASH_CHILD") ?? "");
        if (native.Length > 0) return new ChildProgram(System.IO.Path.GetFullPath(native), []);
        var host = Environment.ProcessPath is { } path && System.IO.Path.GetFileNameWithoutExtension(path) == "dotnet"
            ? path
            : "dotnet";
        return new ChildProgram(host, ["exec", typeof(KillChild).Assembly.Location]);
    }
}
