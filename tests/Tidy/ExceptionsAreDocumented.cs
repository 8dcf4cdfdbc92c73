using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace Varve.Tests.Tidy;

/// <summary>
/// A public member that can throw says so: by <c>exception</c> elements of its own, or by <c>inheritdoc</c> of a member
/// that has them. Which members throw nothing is a list, so that a reviewer sees every change of it.
/// </summary>
public partial class ExceptionsAreDocumented
{
    /// <summary>
    /// Members that throw nothing; besides auto-properties, text, equality and the constructors of exceptions.
    /// </summary>
    private static readonly HashSet<string> ThrowNothing =
    [
        "ApplyResult.Succeeded",
        "Command.Insert", "Command.InsertIfAbsent", "Command.Delete", "Command.CompareAndSwap",
        "Command.CompareAndDelete", "Command.Renew", "Command.TryValidate", "Command.TryParse",
        "DiskUsage.Total", "EngineOptions.TryValidate", "EngineStatistics.DurableLag",
        "EngineStatistics.WriteAmplification",
        "EntryView.Value", "EntryView.LeaseDeadlineMs",
        "IStateMachine.IsRunning", "IStateMachine.Stop", "IStateMachine.CloseStorage",
        "LsmStateMachine.IsRunning", "LsmStateMachine.Stop", "LsmStateMachine.CloseStorage",
        "LsmStateMachine.Dispose", "LsmStateMachine.DisposeAsync",
        "ReadView.Dispose", "ScanEnumerator.Dispose", "ScanEnumerator.GetEnumerator",
        "SnapshotDirectory.ManifestFileName", "SnapshotDirectory.Manifest", "SnapshotDirectory.ReadMark",
        "StagedSnapshot.Metadata", "StagedSnapshot.Dispose", "StagedSnapshot.DisposeAsync",
        "StringExtensions.GetKeyString", "StringExtensions.GetValueString",
        "VarveBuilder.AddHealthCheck",
    ];

    private static readonly HashSet<string> NeverThrowing = ["Equals", "GetHashCode", "ToString", "Deconstruct"];

    [Fact]
    public void EveryPublicMemberNamesItsExceptions() =>
        Complaints.None(
            from member in Members()
            where !ThrowNothing.Contains(member.Name) && !HasExceptions(member, Members())
            select $"{member.Path}: {member.Name} documents no exception, and is not among those that throw nothing");

    [Fact]
    public void MembersThatThrowNothingExistAndDocumentNoException()
    {
        var members = Members();
        Complaints.None(
            from name in ThrowNothing
            let named = members.Where(member => member.Name == name).ToList()
            where named.Count == 0 || named.Any(member => HasExceptions(member, members))
            select $"{name}: {(named.Count == 0 ? "is not there" : "documents an exception")}");
    }

    /// <summary>Every member of a closed engine but these refuses.</summary>
    [Fact]
    public void MembersOfEngineSayThatItMayBeClosed()
    {
        var members = Members();
        Complaints.None(
            from member in members
            where member.Type is "IStateMachine" or "LsmStateMachine" or "ReadView" or "ScanEnumerator"
            where !ThrowNothing.Contains(member.Name) && !member.Name.EndsWith(".Open", StringComparison.Ordinal)
            where !AllDocs(member, members).Any(docs => docs.Contains("cref=\"ObjectDisposedException\""))
            select $"{member.Path}: {member.Name} does not say that it may be closed");
    }

    private static readonly Lazy<List<Member>> All = new(() => [.. Read()]);

    private static List<Member> Members() => All.Value;

    private static bool HasExceptions(Member member, List<Member> all) =>
        AllDocs(member, all).Any(docs => docs.Contains("<exception ", StringComparison.Ordinal));

    /// <summary>The documentation of a member and of those that it inherits from.</summary>
    private static IEnumerable<string> AllDocs(Member member, List<Member> all, int depth = 0)
    {
        yield return member.Docs;
        if (depth > 3) yield break;
        foreach (Match inherited in InheritDoc().Matches(member.Docs))
        {
            var target = inherited.Groups["cref"].Success
                ? TargetName(inherited.Groups["cref"].Value, member.Type)
                : $"IStateMachine.{member.Name[(member.Type.Length + 1)..]}";
            foreach (var other in all.Where(other => other.Name == target))
                if (other != member)
                    foreach (var docs in AllDocs(other, all, depth + 1)) yield return docs;
        }
    }

    /// <summary>Overloads share a name: what one of them documents is enough for an inheriting one.</summary>
    private static string TargetName(string cref, string type)
    {
        var name = cref.Split('(')[0].Split('{')[0];
        return name.Contains('.') ? name : $"{type}.{name}";
    }

    private static IEnumerable<Member> Read()
    {
        foreach (var file in SourceTree.CSharp("src/Engine/").Concat(SourceTree.CSharp("src/Format/"))
            .Concat(SourceTree.CSharp("src/Hosting/")))
        {
            var root = CSharpSyntaxTree.ParseText(file.Text).GetRoot();
            foreach (var type in root.DescendantNodes().OfType<TypeDeclarationSyntax>())
            {
                if (!IsPublic(type.Modifiers) || type.Ancestors().OfType<TypeDeclarationSyntax>().Any(
                    outer => !IsPublic(outer.Modifiers)) || type.Identifier.Text.EndsWith("Exception", default))
                    continue;
                var members = type.Members.Concat(
                    type.Members.OfType<ExtensionBlockDeclarationSyntax>().SelectMany(block => block.Members));
                foreach (var member in members)
                    if ((type is InterfaceDeclarationSyntax || IsPublic(member.Modifiers))
                        && NameOf(member) is { } name)
                        yield return new Member(
                            file.Path, type.Identifier.Text, $"{type.Identifier.Text}.{name}",
                            member.GetLeadingTrivia().ToString());
            }
        }
    }

    private static bool IsPublic(SyntaxTokenList modifiers) =>
        modifiers.Any(modifier => modifier.IsKind(SyntaxKind.PublicKeyword));

    /// <summary>Null for what has no body that could throw, or must not throw.</summary>
    private static string? NameOf(MemberDeclarationSyntax member) => member switch
    {
        MethodDeclarationSyntax method =>
            NeverThrowing.Contains(method.Identifier.Text) ? null : method.Identifier.Text,
        ConstructorDeclarationSyntax => ".ctor",
        PropertyDeclarationSyntax property => IsAutomatic(property) ? null : property.Identifier.Text,
        _ => null,
    };

    private static bool IsAutomatic(PropertyDeclarationSyntax property) =>
        property.Parent is not InterfaceDeclarationSyntax && property.ExpressionBody is null
        && property.AccessorList!.Accessors.All(accessor => accessor.Body is null && accessor.ExpressionBody is null);

    [GeneratedRegex("""<inheritdoc(\s+cref="(?<cref>[^"]+)")?""")]
    private static partial Regex InheritDoc();

    private sealed record Member(string Path, string Type, string Name, string Docs);
}
