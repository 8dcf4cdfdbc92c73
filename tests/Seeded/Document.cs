namespace Varve.Tests.Seeded;

/// <summary>The list of bugs as docs/SEEDED-BUGS.md has it.</summary>
internal static class Document
{
    public const string Path = "docs/SEEDED-BUGS.md";

    public static IEnumerable<string> Rows =>
        from bug in BugList.All
        let files = string.Join(", ", bug.Edits.Select(edit => $"`{edit.File}`").Distinct())
        let test = bug.CaughtBy[(bug.Project.Length + 2)..]
        select $"| `{bug.Name}` | {bug.Wrong} | {files} | {bug.Project}: `{test}` |";
}
