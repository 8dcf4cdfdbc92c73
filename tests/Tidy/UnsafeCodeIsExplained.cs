using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Tidy;

/// <summary>Memory-unsafe code stays in listed rooms and says why it is safe.</summary>
public class UnsafeCodeIsExplained(ITestOutputHelper output)
{
    [Fact]
    public void RoomsUseListedKindsAndNoOther()
    {
        var found = new Dictionary<(string Room, string Kind), int>();
        foreach (var file in SourceTree.CSharp("src/"))
            foreach (var (kind, expression) in UnsafeUses.Kinds)
                if (expression.Count(file.Code) is > 0 and var count)
                {
                    var key = (Rooms.OfTheTree.Of(file.Path)!, kind);
                    found[key] = found.GetValueOrDefault(key) + count;
                }

        foreach (var ((room, kind), count) in found.OrderBy(pair => pair.Key))
            output.WriteLine($"{room,-24} {kind,-24} {count,4}");
        var known = UnsafeUses.Known.SelectMany(
            room => room.Value.Select(use => ((Room: room.Key, use.Kind), use.Uses))).ToDictionary();
        Complaints.None(
            from key in found.Keys.Union(known.Keys)
            let uses = found.GetValueOrDefault(key)
            let listed = known.GetValueOrDefault(key)
            where uses != listed
            select $"{key.Room}: {uses} uses of '{key.Kind}', UnsafeUses lists {listed}");
    }

    [Fact]
    public void UnsafeStandsOnMembersThatSayWhyTheyAreSafe() =>
        Complaints.None(SourceTree.CSharp("src/").SelectMany(UnsafeMembers.Complaints));

    [Fact]
    public void OnlyEngineAndItsFormatsAllowUnsafeCode()
    {
        var allowing = SourceTree.Files
            .Where(file => file.Path.EndsWith("proj", StringComparison.Ordinal)
                || file.Path.EndsWith(".props", StringComparison.Ordinal))
            .Where(file => file.Text.Contains("<AllowUnsafeBlocks>", StringComparison.Ordinal))
            .Select(file => file.Path);
        Assert.Equal(
            ["src/Engine/Engine.csproj", "src/Format/Format.csproj"],
            allowing.Where(path => !path.StartsWith("tests/", StringComparison.Ordinal)
                && !path.StartsWith("bench/", StringComparison.Ordinal)
                && !path.StartsWith("fuzz/", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("unsafe class A { int _a; }", "x.cs:1: unsafe stands on a type")]
    [InlineData("class A { unsafe int* _a; }", "x.cs:1: no '// SAFETY:' line above")]
    [InlineData("class A { void F() { unsafe { } } }", "x.cs:1: no '// SAFETY:' line above")]
    [InlineData("class A {\n// SAFETY: a.\nunsafe int* _a;\nunsafe int* _b; }", "x.cs:4: no '// SAFETY:' line above")]
    [InlineData("class A {\n// SAFETY: these members\n// hold.\nunsafe int* _a;\nint _b;\nunsafe int* _c; }",
        "x.cs:6: no '// SAFETY:' line above")]
    [InlineData("class A {\n// SAFETY: a.\nunsafe int* _a; }", null)]
    [InlineData("class A {\n/// <summary>B.</summary>\n// SAFETY: a.\n[B]\npublic unsafe int* _a; }", null)]
    [InlineData("class A {\n// SAFETY: these\n// members hold.\nunsafe int* _a;\nunsafe int* _b; }", null)]
    [InlineData("class A { void F() {\n// SAFETY: a.\nunsafe { } } }", null)]
    [InlineData("class A { int _a; }", null)]
    public void RuleSeesItsBreaches(string code, string? complaint) =>
        Assert.Equal(
            complaint is null ? [] : [complaint], UnsafeMembers.Complaints(new SourceFile("x.cs", code)));

    [Theory]
    [InlineData(UnsafeUses.Keyword, "fixed unsafe", "Unsafe")]
    [InlineData(UnsafeUses.UnsafeClass, "Unsafe.Add(", "LoadUnsafe.A")]
    [InlineData(UnsafeUses.MemoryMarshal, "MemoryMarshal.Read<int>", "Marshal.SizeOf")]
    [InlineData(UnsafeUses.UncheckedVector, "Vector128.LoadUnsafe(", "LoadSafe(")]
    [InlineData(UnsafeUses.VectorLoad, "Vector256.Load(p)", "Vector.LoadFactor")]
    public void EachKindSeesItsUse(string kind, string use, string other)
    {
        Assert.Matches(UnsafeUses.Kinds[kind], use);
        Assert.DoesNotMatch(UnsafeUses.Kinds[kind], other);
    }
}
