using System.ComponentModel;
using System.Diagnostics;
using Varve.Tests.Crash.Child;

namespace Varve.Tests.Crash.Children;

/// <summary>
/// A child process. Its messages are read as they come, by the promise and by callers that wait for one; messages that
/// it sent before its death count.
/// </summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly Task _hearing;
    private readonly Func<Message, bool> _isAwaited;
    private readonly TaskCompletionSource<bool> _awaited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="program">What is run.</param>
    /// <param name="arguments">The verb and its arguments.</param>
    /// <param name="hear">Takes every message.</param>
    /// <param name="isAwaited">True for the message that <see cref="AwaitAsync"/> waits for.</param>
    public ChildProcess(
        ChildProgram program, IEnumerable<string> arguments, Action<Message> hear, Func<Message, bool> isAwaited)
    {
        _isAwaited = isAwaited;
        var start = new ProcessStartInfo(program.Path)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in program.Arguments.Concat(arguments)) start.ArgumentList.Add(argument);
        // It lives for a fraction of a second: nothing that only pays later.
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_gcConcurrent"] = "0";
        start.Environment["DOTNET_TC_CallCounting"] = "0";
        // No debugger's pipe, whose thread opens files.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        // A garbage collection may read its limits from files, which must not count as a call.
        start.Environment["DOTNET_GCgen0size"] = "0x10000000";
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
        _hearing = Task.Run(() => HearAsync(hear));
    }

    public int Id => _process.Id;

    /// <summary>False: it ended without saying that.</summary>
    public Task<bool> AwaitAsync() => _awaited.Task;

    public void Resume()
    {
        _process.StandardInput.WriteLine();
        _process.StandardInput.Flush();
    }

    /// <summary>Kills it if it lives, hears its last words, and answers its exit code.</summary>
    public async Task<int> KillAsync()
    {
        try
        {
            _process.Kill();
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It was faster.
        }

        return await EndAsync();
    }

    public async Task<int> EndAsync()
    {
        await _hearing;
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public Task<string> ErrorsAsync() => _errors;

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit(); // until then it holds what it had open
        _process.Dispose();
    }

    private async Task HearAsync(Action<Message> hear)
    {
        var pipe = _process.StandardOutput.BaseStream;
        var buffer = new byte[Message.Size * 1024];
        var length = 0;
        try
        {
            while (true)
            {
                var count = await pipe.ReadAsync(buffer.AsMemory(length));
                if (count == 0) return;
                length += count;
                var at = 0;
                for (; length - at >= Message.Size; at += Message.Size)
                {
                    var message = Message.Decode(buffer.AsSpan(at));
                    hear(message);
                    if (_isAwaited(message)) _awaited.TrySetResult(true);
                }

                buffer.AsSpan(at, length - at).CopyTo(buffer);
                length -= at;
            }
        }
        finally
        {
            _awaited.TrySetResult(false);
        }
    }
}
