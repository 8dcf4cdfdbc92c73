using System.Text.RegularExpressions;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Tidy;

/// <summary>The code keeps the house style where a machine can see it.</summary>
public partial class CodeIsTidy(ITestOutputHelper output)
{
    [Fact]
    public void PlatformInvokeStaysInStorage() =>
        Complaints.None(SourceTree.CSharp("src/")
            .Where(file => !file.Path.StartsWith(HouseRules.PlatformInvokeRoom, StringComparison.Ordinal))
            .Places(PlatformInvoke()));

    [Fact]
    public void NoSourceFileIsTooLong()
    {
        var files = SourceTree.CSharp("src/").ToList();
        foreach (var file in files.Where(file => file.LineCount > HouseRules.LinesWanted).OrderByDescending(
            file => file.LineCount))
            output.WriteLine($"{file.LineCount} lines (wanted: {HouseRules.LinesWanted})  {file.Path}");
        Complaints.None(files.Where(file => file.LineCount > HouseRules.LinesMax && file.Path != HouseRules.Facade)
            .Select(file => $"{file.Path}: {file.LineCount} lines"));
    }

    [Fact]
    public void FacadeIsShort()
    {
        var facade = SourceTree.CSharp("src/").Single(file => file.Path == HouseRules.Facade);
        var lines = facade.Code.Split('\n').Count(line => line.Trim().Length > 0);
        output.WriteLine($"{lines} lines of code");
        Assert.InRange(lines, 1, HouseRules.FacadeLinesMax);
    }

    [Fact]
    public void NoLineIsTooWide() =>
        Complaints.None(
            from file in SourceTree.CSharp()
            from line in file.Text.Split('\n').Index()
            where line.Item.Length > HouseRules.ColumnsMax
            select $"{file.Path}:{line.Index + 1}: {line.Item.Length} columns");

    [Fact]
    public void NothingIsLeftOpen() => Complaints.None(SourceTree.CSharp().Places(LeftOpen(), wholeText: true));

    [Fact]
    public void NoTestIsSkipped() => Complaints.None(SourceTree.CSharp("tests/").Places(Skips()));

    [Fact]
    public void TestsDoNotSleep() => Complaints.None(SourceTree.CSharp("tests/").Places(Sleeps()));

    [Fact]
    public void NoRegionsAreUsed() => Complaints.None(SourceTree.CSharp().Places(Regions()));

    [Fact]
    public void ScannerSeesCodeOnly()
    {
        var file = new SourceFile(
            "x.cs", "a // unsafe\n/* unsafe */ b \"unsafe\\\"\" 'x' @\"un\"\"safe\" \"\"\"\nunsafe\n\"\"\" c\n");
        Assert.Equal(["a", "b", "c"], file.Code.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(file.LineCount, file.Code.Count(c => c == '\n'));
        Assert.Equal("x.cs:4", file.Place(file.Code.IndexOf('c', StringComparison.Ordinal)));
    }

    [GeneratedRegex(@"\b(DllImport|LibraryImport|NativeLibrary)\b|\bunmanaged\s*\[|delegate\s*\*\s*unmanaged")]
    private static partial Regex PlatformInvoke();

    // Each word is written so that this line is not one of its finds.
    [GeneratedRegex(@"NotImplemented[E]xception|\bTO[D]O\b|\bFIX[M]E\b|\bHA[C]K\b")]
    private static partial Regex LeftOpen();

    [GeneratedRegex(@"\bSkip\s*=[^=>]")]
    private static partial Regex Skips();

    [GeneratedRegex(@"\bThread\s*\.\s*Sleep\b|\bTask\s*\.\s*Delay\b")]
    private static partial Regex Sleeps();

    [GeneratedRegex(@"^\s*#\s*region\b", RegexOptions.Multiline)]
    private static partial Regex Regions();
}
