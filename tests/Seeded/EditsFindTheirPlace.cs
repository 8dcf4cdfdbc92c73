using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace Varve.Tests.Seeded;

/// <summary>
/// An edit finds its place by file name and tokens, so that a move or another layout of the sources costs nothing.
/// </summary>
public sealed class EditsFindTheirPlace
{
    private const string Text = """
        class C
        {
            // if (a) Go(1); is not code
            string s = "if (a) Go(1);";
            void M()
            {
                if (a  &&  b) // both
                {
                    Go(1, "x  y",
                        /* last */ c);
                }

                Stop(); Stop();
                if (x>=1) x = x >> 2;
            }
        }
        """;

    [Theory]
    [InlineData("if(a&&b){Go(1,\"x  y\",c);}")]
    [InlineData("if ( a\n  && b )\n{\n\tGo ( 1 , \"x  y\" , c ) ;\n}")]
    [InlineData("if (a && b) /* why */\r\n{ // how\n Go(1, \"x  y\", c); }")]
    public void LayoutAndCommentsAreIgnored(string piece)
    {
        var place = Assert.Single(new CodeTokens(Text).Find(piece));
        Assert.StartsWith("if (a  &&", Text[place.Start..place.End], StringComparison.Ordinal);
        Assert.EndsWith(
            "c);\n        }", Text[place.Start..place.End].ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Go(1);", 0)]            // in a comment and in a literal only
    [InlineData("Go(1, \"x y\", c)", 0)] // white space in a literal counts
    [InlineData("a & & b", 0)]           // tokens are not cut
    [InlineData("to(1", 0)]
    [InlineData("Sto", 0)]
    [InlineData("Missing();", 0)]
    [InlineData("x >= 1", 1)]
    [InlineData("x>>2", 1)]
    [InlineData("Stop();", 2)]
    [InlineData("Stop();Stop();", 1)]
    public void PiecesAreWholeTokens(string piece, int places) =>
        Assert.Equal(places, new CodeTokens(Text).Find(piece).Count);

    [Fact]
    public void PieceWithoutCodeIsRefused() =>
        Assert.Throws<InvalidOperationException>(() => new CodeTokens(Text).Find(" // both "));

    [Fact]
    public void ReplacementTakesExactlyMatchedSpan()
    {
        const string text = "/* before */ one ( /* inside */\n 1 ) ; // after\n";
        var bug = Of(new Edit("A.cs", "one(1);", "if (!SEEDED) one(1);"));
        Assert.Equal(
            "/* before */ if (!global::Varve.SeededBug.Is(1)) one(1); // after\n",
            MutatedSources.Mutate("A.cs", text, [bug]));
    }

    [Fact]
    public void EditWithoutMatchIsRefused()
    {
        const string text = "one; two; two;";
        Refused(new Edit("A.cs", "three;", "if (!SEEDED) three;"));
        Refused(new Edit("A.cs", "two;", "if (!SEEDED) two;"));
        Refused(new Edit("A.cs", "one;", "two;"));
        Refused(new Edit("A.cs", "one;", "if (!SEEDED) one;"), new Edit("A.cs", "one; two;", "SEEDED"));

        void Refused(params Edit[] edits) =>
            Assert.Throws<InvalidOperationException>(() => MutatedSources.Mutate("A.cs", text, [Of(edits)]));
    }

    [Fact]
    public void FileIsFoundByName()
    {
        MutatedSources.CheckFiles(["src/Engine/Wal/A.cs", "src/Engine/B.cs"], [Of(new Edit("A.cs", "x", "SEEDED"))]);
        Refused("missing", ["src/Engine/B.cs"], "no file of src/Format or src/Engine is called A.cs");
        Refused("twice", ["src/Engine/A.cs", "src/Format/A.cs"], "A.cs is ambiguous: src/Engine/A.cs, src/Format/A.cs");

        static void Refused(string name, string[] sources, string says)
        {
            var bug = new Bug(name, "wrong", "Engine: Some.Test", new Edit("A.cs", "x", "SEEDED"));
            var refusal = Assert.Throws<InvalidOperationException>(() => MutatedSources.CheckFiles(sources, [bug]));
            Assert.StartsWith(name + ": ", refusal.Message, StringComparison.Ordinal);
            Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void EveryEditFindsItsPlaceInAnyLayout()
    {
        var root = TestBed.Root();
        var sources = MutatedSources.SourcesOf(root);
        MutatedSources.CheckFiles(sources, BugList.All);
        var named = BugList.All.SelectMany(bug => bug.Edits).Select(edit => edit.File).ToHashSet();
        foreach (var path in sources.Where(path => named.Contains(Path.GetFileName(path))))
        {
            var (file, text) = (Path.GetFileName(path), File.ReadAllText(Path.Combine(root, path)));
            var relaid = string.Join("\n /* another layout */ ", Tokens(text));
            Assert.Equal(
                Tokens(MutatedSources.Mutate(file, text, BugList.All)),
                Tokens(MutatedSources.Mutate(file, relaid, BugList.All)));
        }
    }

    private static Bug Of(params Edit[] edits) => new("bug", "wrong", "Engine: Some.Test", edits);

    private static IEnumerable<string> Tokens(string text) =>
        SyntaxFactory.ParseTokens(text).Where(token => !token.IsKind(SyntaxKind.EndOfFileToken))
            .Select(token => token.Text);
}
