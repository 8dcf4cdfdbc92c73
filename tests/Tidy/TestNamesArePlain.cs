using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace Varve.Tests.Tidy;

/// <summary>
/// A test's name states what holds: subject, act, result. It has no article, and no pronoun in place of a subject.
/// </summary>
public partial class TestNamesArePlain
{
    private static readonly string[] Attributes = ["Fact", "Theory", "Property"];

    [Fact]
    public void NamesHaveNoArticles() =>
        Complaints.None(
            from file in SourceTree.CSharp("tests/")
            from name in TestsOf(file)
            where Refused().IsMatch(name)
            select $"{file.Path}: {name}");

    [Fact]
    public void RuleSeesItsBreaches()
    {
        string[] refused = ["AKeyIsFound", "GetFindsTheKey", "WhatIsAppliedStays", "NobodyWaits", "FindsAnEntry"];
        Assert.All(refused, name => Assert.Matches(Refused(), name));
        string[] allowed = ["KeyIsFound", "ThenRetry", "AnyOrderMatchesModel", "ScanAtThousandKeys", "WholeState"];
        Assert.All(allowed, name => Assert.DoesNotMatch(Refused(), name));
        var file = new SourceFile("x.cs", "class A { [Fact] public void AKeyIsFound() { } void TheHelper() { } }");
        Assert.Equal(["AKeyIsFound"], TestsOf(file));
    }

    private static IEnumerable<string> TestsOf(SourceFile file) =>
        from node in CSharpSyntaxTree.ParseText(file.Text).GetRoot().DescendantNodes()
        let method = node as MethodDeclarationSyntax
        where method is not null
            && method.AttributeLists.SelectMany(list => list.Attributes)
                .Any(attribute => Attributes.Contains(attribute.Name.ToString()))
        select method.Identifier.Text;

    // "HalfAMillion" is a number.
    [GeneratedRegex(@"(?<!Half)(?<![A-Z])(A|An|The|What|Who|Whoever|Nobody|Somebody)(?=[A-Z])")]
    private static partial Regex Refused();
}
