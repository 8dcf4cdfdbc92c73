namespace Varve.Tests.Engine.Diagnostics;

/// <summary>The guides of the tree that the tests were built in.</summary>
internal static class Guide
{
    public static string Read(string page)
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "Engine.sln")))
                return File.ReadAllText(Path.Combine(at.FullName, "docs", "guides", page));
        throw new DirectoryNotFoundException("The tests do not lie below the tree.");
    }
}
