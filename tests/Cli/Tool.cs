using System.Diagnostics;

namespace Varve.Tests.Cli;

/// <summary>The result of one run of the tool.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Error)
{
    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>
/// Runs the built tool as its users do, in a process and a directory of its own; the directory goes with the object.
/// </summary>
internal sealed class Tool : IDisposable
{
    public Tool() => Root = Directory.CreateTempSubdirectory("varve-cli-").FullName;

    public string Root { get; }

    public string PathOf(string name) => Path.Combine(Root, name);

    public Task<ToolResult> RunAsync(params string[] arguments) => ResultAsync(Start("dotnet", Command(arguments)));

    /// <summary>Runs the tool with text as its standard input.</summary>
    public Task<ToolResult> RunAsync(string input, string[] arguments) =>
        ResultAsync(Start("dotnet", input, Command(arguments)));

    /// <summary>The arguments with which <c>dotnet</c> runs the tool.</summary>
    public static string[] Command(params string[] arguments) =>
        ["exec", Path.Combine(AppContext.BaseDirectory, "varve.dll"), .. arguments];

    /// <summary>
    /// Starts a program of the system in the directory; <see cref="ResultAsync"/> takes it from there.
    /// </summary>
    public Process Start(string program, params string[] arguments) => Start(program, "", arguments);

    private Process Start(string program, string input, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        var process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        return process;
    }

    /// <summary>Waits for a process to end.</summary>
    public static async Task<ToolResult> ResultAsync(Process started)
    {
        using var process = started;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new ToolResult(process.ExitCode, await output, await error);
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
