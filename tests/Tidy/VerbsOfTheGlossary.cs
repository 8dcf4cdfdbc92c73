using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace Varve.Tests.Tidy;

/// <summary>
/// Five verbs end the use of something: Dispose, Release, Retire, Recycle and Drop, as docs/GLOSSARY.md defines them. A
/// method of the engine or its formats has none of the words that they replace.
/// </summary>
public class VerbsOfTheGlossary
{
    private static readonly string[] Refused =
    [
        "Abandon", "Clear", "Close", "Collect", "Discard", "Forget", "Free", "HandOver", "LetGo", "MarkObsolete",
        "Return", "Trim",
    ];

    /// <summary>Methods with such a word in another sense, or with a public name.</summary>
    private static readonly string[] Exceptions =
    [
        "IStateMachine.CloseStorage", "LsmStateMachine.CloseStorage",
        "RefCounted.Free", "Reclaimer.FreeRetired", "DbVersion.Free", "Memtable.Free", "TableHandle.Free",
        "HashDirectory.FreeIn", "RowOrder.FreeSlot", "DurableFile.FreeTemporary",
    ];

    [Fact]
    public void MethodsUseFiveVerbs()
    {
        var found = SourceTree.CSharp("src/Engine/").Concat(SourceTree.CSharp("src/Format/"))
            .SelectMany(Names).Distinct().ToList();
        Complaints.None(
            [
                .. found.Except(Exceptions).Select(name => $"{name}: a verb that the house refuses"),
                .. Exceptions.Except(found).Select(name => $"{name}: gone; take it off the list"),
            ]);
    }

    [Fact]
    public void WordsThatOnlyBeginLikeVerbsAreAllowed()
    {
        var file = new SourceFile(
            "x.cs", "class A { void Close() { } void Closest() { } void FreeAll() { } void Freely() { } }");
        Assert.Equal(["A.Close", "A.FreeAll"], Names(file));
    }

    private static IEnumerable<string> Names(SourceFile file) =>
        from node in CSharpSyntaxTree.ParseText(file.Text).GetRoot().DescendantNodes()
        let method = node as MethodDeclarationSyntax
        where method is not null
        let name = method.Identifier.Text
        where Refused.Any(verb => name.StartsWith(verb, StringComparison.Ordinal)
            && (name.Length == verb.Length || char.IsUpper(name[verb.Length])))
        select $"{((BaseTypeDeclarationSyntax)method.Parent!).Identifier.Text}.{name}";
}
