using Xunit;

namespace Varve.Tests.Tidy;

/// <summary>The complaints of a rule about the tree.</summary>
internal static class Complaints
{
    /// <summary>Fails with every complaint in full, one a line.</summary>
    public static void None(IEnumerable<string> complaints)
    {
        var all = complaints.ToList();
        if (all.Count > 0) Assert.Fail(string.Join('\n', all));
    }
}
