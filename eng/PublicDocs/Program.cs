using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

// Leaves in the documentation file of each assembly only the members that users of the assembly can see. The compiler
// writes the documentation of internal members too, and a package has no use for it.
//
// Usage: PublicDocs ASSEMBLY...    where beside Name.dll stands Name.xml, which is rewritten.

if (args.Length == 0)
{
    Console.Error.WriteLine("usage: PublicDocs ASSEMBLY...");
    return 1;
}

foreach (var path in args)
{
    var reference = MetadataReference.CreateFromFile(path);
    var compilation = CSharpCompilation.Create("docs", references: [reference]);
    if (compilation.GetAssemblyOrModuleSymbol(reference) is not IAssemblySymbol assembly)
    {
        Console.Error.WriteLine($"{path} is not an assembly.");
        return 1;
    }

    var visible = new HashSet<string>();
    Visit(assembly.GlobalNamespace, visible);

    var file = Path.ChangeExtension(path, ".xml");
    var document = XDocument.Load(file, LoadOptions.PreserveWhitespace);
    var members = document.Root!.Element("members")!.Elements("member").ToList();
    var hidden = members.Where(member => !visible.Contains(member.Attribute("name")!.Value)).ToList();
    foreach (var member in hidden)
    {
        if (member.PreviousNode is XText { Value: var space } text && string.IsNullOrWhiteSpace(space)) text.Remove();
        member.Remove();
    }
    document.Save(file, SaveOptions.DisableFormatting);
    Console.WriteLine($"{Path.GetFileName(file)}: {members.Count - hidden.Count} of {members.Count} members kept");
}

return 0;

static void Visit(INamespaceOrTypeSymbol container, HashSet<string> visible)
{
    foreach (var member in container.GetMembers())
    {
        if (member is INamespaceSymbol inner)
        {
            Visit(inner, visible);
            continue;
        }
        if (!IsVisible(member)) continue;
        if (member.GetDocumentationCommentId() is { } id) visible.Add(id);
        if (member is INamedTypeSymbol type) Visit(type, visible);
    }
}

static bool IsVisible(ISymbol symbol) => symbol.DeclaredAccessibility
    is Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal;
