using Xunit;

namespace Varve.Tests.Engine;

/// <summary>Waits for the work of a background thread.</summary>
internal static class Waiting
{
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public static void Until(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, Patience));
}
