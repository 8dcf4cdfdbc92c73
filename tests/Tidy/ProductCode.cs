using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Varve.Tests.Tidy;

/// <summary>A name in one file that stands for something declared in another.</summary>
/// <param name="User">The path of the file that has the name.</param>
/// <param name="Line">Its line, from 1 on.</param>
/// <param name="Name">What it stands for; <c>.ctor</c> for a construction without a name.</param>
/// <param name="Used">The path of the file that declares what the name stands for.</param>
internal sealed record Use(string User, int Line, string Name, string Used)
{
    /// <summary>The two files, by name: a move of either changes nothing in it.</summary>
    public string Pair => $"{Path.GetFileName(User)} -> {Path.GetFileName(Used)}";

    public override string ToString() => $"{User}:{Line}: {Name} of {Used}";
}

/// <summary>
/// The sources of src, compiled as one assembly, so that every name has its meaning. Comments have none here: a cref is
/// no dependency. Generators do not run; the methods that they fill in are declared in the sources, which is all that a
/// name needs.
/// </summary>
internal sealed class ProductCode
{
    private const string GlobalUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static readonly CSharpParseOptions Options = new(LanguageVersion.Latest, DocumentationMode.None);

    // Parallel work in the type's own initializer would wait for itself.
    private static readonly Lazy<ProductCode> Tree = new(() => new ProductCode(Compile(SourceTree.CSharp("src/"))));

    private readonly Compilation _compilation;
    private readonly Lazy<List<Meaning>> _names;

    private ProductCode(Compilation compilation, string? only = null)
    {
        _compilation = compilation;
        var trees = compilation.SyntaxTrees.Where(tree => only is null || tree.FilePath == only);
        _names = new(() => [.. trees.AsParallel().SelectMany(Names)]);
    }

    /// <summary>The whole of src.</summary>
    public static ProductCode OfTheTree => Tree.Value;

    /// <summary>Every use of another file.</summary>
    public IEnumerable<Use> Uses => _names.Value.Select(name => name.Use).OfType<Use>();

    /// <summary>
    /// Names that stand for nothing: the compilation lacks a reference, and what they use goes unseen.
    /// </summary>
    public IEnumerable<string> Unresolved => _names.Value.Where(name => !name.IsKnown).Select(name => name.Place);

    /// <summary>The same sources with one more, which alone is looked at.</summary>
    public ProductCode With(SourceFile file) => new(_compilation.AddSyntaxTrees(Parse(file)), file.Path);

    /// <summary>Every type that a file declares outside of other types.</summary>
    public IEnumerable<(string Path, INamedTypeSymbol Type)> Types() =>
        from tree in _compilation.SyntaxTrees
        let model = _compilation.GetSemanticModel(tree)
        from node in tree.GetRoot().DescendantNodes(
            node => node is CompilationUnitSyntax or BaseNamespaceDeclarationSyntax)
        where node is BaseTypeDeclarationSyntax or DelegateDeclarationSyntax
        select (tree.FilePath, (INamedTypeSymbol)model.GetDeclaredSymbol(node)!);

    private static CSharpCompilation Compile(IEnumerable<SourceFile> files)
    {
        var libraries = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        return CSharpCompilation.Create(
            "Varve",
            files.AsParallel().Select(Parse).Append(CSharpSyntaxTree.ParseText(GlobalUsings, Options)),
            libraries.Select(path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, allowUnsafe: true));
    }

    private static SyntaxTree Parse(SourceFile file) => CSharpSyntaxTree.ParseText(file.Text, Options, file.Path);

    private IEnumerable<Meaning> Names(SyntaxTree tree)
    {
        var model = _compilation.GetSemanticModel(tree);
        foreach (var node in tree.GetRoot().DescendantNodes())
        {
            if (!IsName(node)) continue;
            var symbol = SymbolOf(model, node);
            var used = DeclarationOf(symbol);
            var line = node.GetLocation().GetLineSpan().StartLinePosition.Line + 1;
            yield return new Meaning(
                $"{tree.FilePath}:{line}: {node}",
                symbol is not null,
                used is null || used == tree.FilePath ? null : new Use(tree.FilePath, line, symbol!.Name, used));
        }
    }

    /// <summary>
    /// A name, or a construction that has none of its own. An alias at its declaration names nothing but itself.
    /// </summary>
    private static bool IsName(SyntaxNode node) =>
        node is ImplicitObjectCreationExpressionSyntax or ConstructorInitializerSyntax
        || node is SimpleNameSyntax
        {
            Parent: not NameEqualsSyntax,
            Identifier.Text: not ("nameof" or "notnull" or "unmanaged"),
        };

    private static ISymbol? SymbolOf(SemanticModel model, SyntaxNode node)
    {
        var info = model.GetSymbolInfo(node);
        if (info.Symbol is null && info.CandidateSymbols.IsEmpty && node is ExpressionSyntax name)
        {
            // The semantic model resolves the length of a fixed buffer only if it is given that expression alone.
            var expression = name.Parent is MemberAccessExpressionSyntax member && member.Name == name ? member : name;
            info = model.GetSpeculativeSymbolInfo(
                node.SpanStart, expression, SpeculativeBindingOption.BindAsExpression);
        }

        return info.Symbol ?? info.CandidateSymbols.FirstOrDefault();
    }

    /// <summary>The file that declares something; of a partial type, the one that bears its name.</summary>
    private static string? DeclarationOf(ISymbol? symbol)
    {
        if (symbol is IMethodSymbol { ReducedFrom: { } extension }) symbol = extension;
        if (symbol is null or INamespaceSymbol or ITypeParameterSymbol) return null;
        var declared = symbol.OriginalDefinition;
        if (declared.IsImplicitlyDeclared && declared.ContainingType is { } type) declared = type;
        var paths = declared.DeclaringSyntaxReferences
            .Select(reference => reference.SyntaxTree.FilePath).Order(StringComparer.Ordinal).ToList();
        return paths.Find(path => Path.GetFileNameWithoutExtension(path) == declared.Name) ?? paths.FirstOrDefault();
    }

    private sealed record Meaning(string Place, bool IsKnown, Use? Use);
}
