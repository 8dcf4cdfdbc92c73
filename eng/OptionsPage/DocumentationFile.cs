using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Varve.Eng.OptionsPage;

/// <summary>The documentation file that the compiler writes beside an assembly, as Markdown.</summary>
internal sealed partial class DocumentationFile
{
    private readonly Dictionary<string, XElement> _members;

    private DocumentationFile(XDocument document) =>
        _members = document.Descendants("member").ToDictionary(member => member.Attribute("name")!.Value);

    public static DocumentationFile OfEngine() =>
        new(XDocument.Load(Path.ChangeExtension(typeof(EngineOptions).Assembly.Location, ".xml")));

    /// <summary>The summary of a member, its paragraphs apart.</summary>
    /// <exception cref="InvalidDataException">The member has no summary.</exception>
    public IReadOnlyList<string> SummaryOf(string member)
    {
        var summary = _members.GetValueOrDefault(member)?.Element("summary")
            ?? throw new InvalidDataException($"{member} has no summary.");
        var first = summary.Nodes().Where(node => node is not XElement { Name.LocalName: "para" });
        return [Text(first), .. summary.Elements("para").Select(paragraph => Text(paragraph.Nodes()))];
    }

    private static string Text(IEnumerable<XNode> nodes)
    {
        var text = new StringBuilder();
        foreach (var node in nodes)
        {
            text.Append(node switch
            {
                XText words => words.Value,
                XElement { Name.LocalName: "see" } reference => $"`{NameIn(reference.Attribute("cref")!.Value)}`",
                XElement { Name.LocalName: "c" or "paramref" } code => $"`{code.Value}`",
                _ => throw new InvalidDataException($"The page has no form for {node}."),
            });
        }

        return Space().Replace(text.ToString(), " ").Trim();
    }

    /// <summary>"P:Varve.EngineOptions.IdleAfter" is IdleAfter; members of other types keep their type.</summary>
    private static string NameIn(string reference)
    {
        var path = reference[2..].Split('(')[0].Split('.');
        return reference[0] == 'T' || path[^2] == nameof(EngineOptions) ? path[^1] : $"{path[^2]}.{path[^1]}";
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
