namespace Varve.Tests.Seeded;

/// <summary>The list of bugs as docs/SEEDED-BUGS.md has it.</summary>
internal static class Document
{
    public const string Path = "docs/SEEDED-BUGS.md";

    public static IEnumerable<string> Rows => BugList.All.Select(
        bug => $"| `{bug.Name}` | {bug.Wrong} | {string.Join(", ", bug.Edits.Select(edit => $"`{System.IO.Path.GetFileName(edit.File)}`").Distinct())} | {bug.Project}: `{bug.CaughtBy[(bug.Project.Length + 2)..]}` |");
}
