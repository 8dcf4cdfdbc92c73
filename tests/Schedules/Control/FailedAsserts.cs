using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Varve.Tests.Schedules.Control;

/// <summary>
/// Makes a failed assertion of the engine a finding: it ends the thread, and the schedule's judge hears of it whatever
/// the engine makes of the exception.
/// </summary>
internal sealed class FailedAsserts : TraceListener
{
    public override void Fail(string? message) => Fail(message, null);

    public override void Fail(string? message, string? detailMessage)
    {
        var failure = new FailedAssertException($"{message} {detailMessage}".TrimEnd());
        Controlled.Current?.Scheduler.Report(failure);
        throw failure;
    }

    public override void Write(string? message)
    {
    }

    public override void WriteLine(string? message)
    {
    }

#pragma warning disable CA2255 // The listener must stand before any code of the engine runs.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Listen()
    {
        Trace.Listeners.Clear();
        Trace.Listeners.Add(new FailedAsserts());
    }
}

/// <summary>An assertion of the engine did not hold.</summary>
internal sealed class FailedAssertException(string message) : Exception(message);
