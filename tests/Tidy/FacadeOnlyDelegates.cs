using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace Varve.Tests.Tidy;

/// <summary>The façade builds an engine of its services and delegates to them; it has no logic of its own.</summary>
public class FacadeOnlyDelegates
{
    private const int FieldsMax = 12;
    private const int MethodLinesMax = 10;
    private const int ConstructorLinesMax = 60;

    private static readonly ClassDeclarationSyntax Facade = Parse(SourceTree.Read(HouseRules.Facade));

    [Fact]
    public void FacadeHasFewFields() =>
        Assert.InRange(
            Facade.Members.OfType<FieldDeclarationSyntax>().Sum(field => field.Declaration.Variables.Count), 1,
            FieldsMax);

    [Fact]
    public void FacadeHasShortMethods() =>
        Complaints.None(
            from member in Facade.Members.OfType<BaseMethodDeclarationSyntax>()
            let most = member is ConstructorDeclarationSyntax ? ConstructorLinesMax : MethodLinesMax
            let lines = LinesOf(member.Body)
            where lines > most
            select $"{member.ToString().Split('\n')[0].Trim()}: {lines} lines");

    [Fact]
    public void FacadeIsOneFile() =>
        Assert.Equal(
            [HouseRules.Facade],
            SourceTree.CSharp("src/Engine/").Where(file => file.Code.Contains(" class LsmStateMachine", default))
                .Select(file => file.Path));

    [Fact]
    public void LinesOfCodeAreCounted() =>
        Assert.Equal(
            3,
            LinesOf(Parse("class A { void B()\n{\n\n // text\n var a = 1;\n if (a == 1)\n {\n a = 2;\n }\n} }")
                .Members.OfType<MethodDeclarationSyntax>().Single().Body));

    /// <summary>Lines that have code besides a brace.</summary>
    private static int LinesOf(BlockSyntax? body) =>
        body is null
            ? 0
            : new SourceFile("x.cs", body.ToString()).Code.Split('\n')
                .Count(line => line.Trim() is not ("" or "{" or "}"));

    private static ClassDeclarationSyntax Parse(string text) =>
        CSharpSyntaxTree.ParseText(text).GetRoot().DescendantNodes().OfType<ClassDeclarationSyntax>().First();
}
