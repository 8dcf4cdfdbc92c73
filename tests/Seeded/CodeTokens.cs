using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace Varve.Tests.Seeded;

/// <summary>
/// C# text as a sequence of tokens. A piece of code is found by its tokens alone: white space, line breaks and comments
/// count for nothing, neither in the text nor in the piece. A literal is one token and has to agree in every character.
/// </summary>
internal sealed class CodeTokens(string text)
{
    private readonly SyntaxToken[] _tokens = Split(text);

    /// <summary>
    /// Every place of a piece, from the start of its first token to the end of its last; places may overlap.
    /// </summary>
    /// <exception cref="InvalidOperationException">The piece has no code.</exception>
    public IReadOnlyList<TextSpan> Find(string piece)
    {
        var wanted = Split(piece);
        if (wanted.Length == 0) throw new InvalidOperationException($"There is no code to look for in '{piece}'.");
        var places = new List<TextSpan>();
        for (var at = 0; at + wanted.Length <= _tokens.Length; at++)
        {
            var found = _tokens.AsSpan(at, wanted.Length);
            if (Agree(found, wanted)) places.Add(TextSpan.FromBounds(found[0].Span.Start, found[^1].Span.End));
        }

        return places;
    }

    private static bool Agree(ReadOnlySpan<SyntaxToken> found, SyntaxToken[] wanted)
    {
        for (var i = 0; i < wanted.Length; i++)
            if (found[i].Text != wanted[i].Text) return false;
        return true;
    }

    private static SyntaxToken[] Split(string text) =>
        [.. SyntaxFactory.ParseTokens(text).Where(token => !token.IsKind(SyntaxKind.EndOfFileToken))];
}
