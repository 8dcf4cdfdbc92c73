using System.Text.RegularExpressions;

namespace Varve.Tests.Tidy;

/// <summary>
/// The repository that these tests were built from: everything that a commit would hold, nothing that a build leaves.
/// </summary>
internal static class SourceTree
{
    private static readonly string[] TextEndings =
        [
            ".cs", ".md", ".csproj", ".props", ".targets", ".sln", ".json", ".yml", ".proto", ".txt", ".sh",
            ".editorconfig", ".gitignore", "/run"];

    private static readonly string[] Skipped = [
        ".git", "bin", "obj", "TestResults", "artifacts", "BenchmarkDotNet.Artifacts"];

    public static string Root { get; } = FindRoot();

    /// <summary>Every text file, by path.</summary>
    public static IReadOnlyList<SourceFile> Files { get; } = [.. Walk(Root).OrderBy(
        file => file.Path, StringComparer.Ordinal)];

    /// <summary>The C# files under a folder.</summary>
    public static IEnumerable<SourceFile> CSharp(string folder = "") =>
        Files.Where(file => file.Path.StartsWith(folder, StringComparison.Ordinal)
            && file.Path.EndsWith(".cs", StringComparison.Ordinal));

    public static string Read(string path) => File.ReadAllText(System.IO.Path.Combine(Root, path));

    public static bool Exists(string path) =>
        File.Exists(System.IO.Path.Combine(Root, path)) || Directory.Exists(System.IO.Path.Combine(Root, path));

    /// <summary>
    /// The places of an expression in the code (comments and literals excluded) or in the whole text of files.
    /// </summary>
    public static IEnumerable<string> Places(
        this IEnumerable<SourceFile> files, Regex expression, bool wholeText = false) =>
        from file in files
        from match in expression.Matches(wholeText ? file.Text : file.Code)
        select $"{file.Place(match.Index)}: {match.Value.Trim()}";

    private static IEnumerable<SourceFile> Walk(string directory)
    {
        foreach (var path in Directory.EnumerateFiles(directory))
        {
            var relative = System.IO.Path.GetRelativePath(Root, path).Replace('\\', '/');
            if (TextEndings.Any(relative.EndsWith)) yield return new SourceFile(relative, File.ReadAllText(path));
        }

        foreach (var below in Directory.EnumerateDirectories(directory))
            if (!Skipped.Contains(System.IO.Path.GetFileName(below)))
                foreach (var file in Walk(below)) yield return file;
    }

    private static string FindRoot()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(System.IO.Path.Combine(at.FullName, "Engine.sln"))) return at.FullName;
        throw new InvalidOperationException("The tests run outside their source tree.");
    }
}
