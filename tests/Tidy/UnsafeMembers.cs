using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Varve.Tests.Tidy;

/// <summary>
/// Finds unsafe code that breaks the rule: <c>unsafe</c> stands on members and blocks, never on a type, and a comment
/// above each says why the memory is alive and the access in bounds.
/// </summary>
/// <remarks>
/// The comment begins with <c>SAFETY:</c>. One that speaks of <c>these members</c> covers the unsafe members below it
/// too, while each has at most <see cref="GroupMemberLinesMax"/> lines of code and no safe member stands between.
/// </remarks>
internal static class UnsafeMembers
{
    private const int GroupMemberLinesMax = 6;
    private const string Mark = "// SAFETY:";
    private const string GroupMark = "these members";

    public static IEnumerable<string> Complaints(SourceFile file)
    {
        var root = CSharpSyntaxTree.ParseText(file.Text, path: file.Path).GetRoot();
        foreach (var keyword in root.DescendantTokens().Where(token => token.IsKind(SyntaxKind.UnsafeKeyword)))
        {
            var problem = keyword.Parent switch
            {
                UsingDirectiveSyntax => null,
                BaseTypeDeclarationSyntax => "unsafe stands on a type",
                UnsafeStatementSyntax or LocalFunctionStatementSyntax when !IsExplained(keyword.Parent, keyword) =>
                    $"no '{Mark}' line above",
                MemberDeclarationSyntax member when !IsExplained(member, keyword) && !IsInGroup(member) =>
                    $"no '{Mark}' line above",
                _ => null,
            };
            if (problem is not null) yield return $"{file.Place(keyword.SpanStart)}: {problem}";
        }
    }

    /// <summary>Is one of the comments between the end of what comes before and the keyword an explanation?</summary>
    private static bool IsExplained(SyntaxNode node, SyntaxToken keyword) => Explanation(node, keyword) is not null;

    private static string? Explanation(SyntaxNode node, SyntaxToken keyword)
    {
        var comments = node.DescendantTrivia().Where(
            trivia => trivia.SpanStart < keyword.SpanStart && trivia.IsKind(SyntaxKind.SingleLineCommentTrivia));
        var text = string.Join(' ', comments.Select(trivia => trivia.ToString()));
        var start = text.IndexOf(Mark, StringComparison.Ordinal);
        return start >= 0 && text.Length > start + Mark.Length ? text[start..].Replace(" // ", " ") : null;
    }

    private static bool IsInGroup(MemberDeclarationSyntax member)
    {
        if (member.Parent is not TypeDeclarationSyntax type || !IsTiny(member)) return false;
        for (var at = type.Members.IndexOf(member) - 1; at >= 0; at--)
        {
            var above = type.Members[at];
            var keyword = above.Modifiers.FirstOrDefault(token => token.IsKind(SyntaxKind.UnsafeKeyword));
            if (keyword == default || !IsTiny(above)) return false;
            if (Explanation(above, keyword) is { } text)
                return text.Contains(GroupMark, StringComparison.OrdinalIgnoreCase);
        }

        return false;
    }

    private static bool IsTiny(MemberDeclarationSyntax member)
    {
        var lines = member.SyntaxTree.GetLineSpan(member.Span);
        return lines.EndLinePosition.Line - lines.StartLinePosition.Line < GroupMemberLinesMax;
    }
}
