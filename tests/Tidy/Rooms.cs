using System.Text.RegularExpressions;

namespace Varve.Tests.Tidy;

/// <summary>
/// The rooms of src from the top down, as the Layers table of docs/ARCHITECTURE.md states them and nothing else does.
/// </summary>
internal sealed partial class Rooms
{
    private const string Document = "docs/ARCHITECTURE.md";

    private readonly List<string> _folders;

    /// <summary>Reads a table: each row's first cell is a folder of src between backticks, and nothing more.</summary>
    public Rooms(string document)
    {
        var section = Section().Match(document);
        _folders = [.. Row().Matches(section.Groups["text"].Value).Select(match => match.Groups["folder"].Value)];
        if (_folders.Count == 0) throw new FormatException("There is no Layers table with folders of src.");
    }

    public static Rooms OfTheTree { get; } = new(SourceTree.Read(Document));

    /// <summary>Folders without a slash at the end, the highest first.</summary>
    public IReadOnlyList<string> Folders => _folders;

    /// <summary>The innermost room that a file is in; null: it is in none.</summary>
    public string? Of(string path) =>
        _folders.Where(folder => path.StartsWith(folder + "/", StringComparison.Ordinal)).MaxBy(
            folder => folder.Length);

    /// <summary>Does a file in one room have to do without what is in the other?</summary>
    public bool IsUpward(string user, string used) => _folders.IndexOf(used) < _folders.IndexOf(user);

    [GeneratedRegex(@"^## Layers$(?<text>.*?)(?=^## |\z)", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Section();

    [GeneratedRegex(@"^\| `(?<folder>src/[\w/]*\w)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
