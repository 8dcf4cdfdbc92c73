using Xunit;

namespace Varve.Tests.Engine;

/// <summary>For what a background thread does in its own time.</summary>
internal static class Waiting
{
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public static void Until(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, Patience));
}
