using System.Diagnostics;
using Xunit;

namespace Varve.Tests.Tidy;

/// <summary>
/// A long figure of docs/DURABILITY.md says on which commit it was measured, and a script says which are stale. (Where
/// there are git and bash.)
/// </summary>
public sealed class EvidenceNamesItsCommit : IDisposable
{
    private readonly string _tree = Directory.CreateTempSubdirectory("varve-evidence-").FullName;

    public void Dispose() => Directory.Delete(_tree, recursive: true);

    [Fact]
    public void FigureNamesCommitAndTestedPaths()
    {
        if (!CanRun() || Run(SourceTree.Root, "git", "rev-parse", "--is-shallow-repository") is not (0, "false\n"))
            return;
        var (code, output) = RunScript(SourceTree.Root);
        Assert.True(code == 0, output);
        Assert.All(
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Matches("^(fresh|stale) ", line));
        Assert.True(output.Count(character => character == '\n') > 10, output);
    }

    [Fact]
    public void MappedPathsExist()
    {
        var paths = SourceTree.Read("tests/evidence.paths").Split('\n').Where(line => line.Length > 0 && line[0] != '#')
            .SelectMany(line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Split(
                ' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.All(paths, path => Assert.True(SourceTree.Exists(path), path));
    }

    [Fact]
    public void FigureIsStaleAfterTestedPathsChange()
    {
        if (!CanRun()) return;
        Git("init", "-q");
        Write("tests/evidence.paths", "tests/Crash: src tests/Crash\n");
        Write("src/a", "1");
        var first = Commit();
        Write(
            "docs/DURABILITY.md",
            $"# D\n\n## Evidence\n\n| what | in CI | long run | at commit | command |\n|---|---|---|---|---|\n"
                + $"| kills | 1 | 2 | `{first}` | `tests/Crash -- kill` |\n");
        Commit();
        Assert.Equal((0, $"fresh     {first}   kills \n"), RunScript(_tree));
        Write("src/a", "2");
        var second = Commit();
        Assert.Equal((0, $"stale     {first}   kills \n"), RunScript(_tree, "--mark"));
        var page = File.ReadAllText(Path.Combine(_tree, "docs/DURABILITY.md"));
        Assert.Contains($"| `{first}`, stale |", page);

        Write("docs/DURABILITY.md", page.Replace(first, second, StringComparison.Ordinal));
        Assert.Equal((0, $"fresh     {second}   kills \n"), RunScript(_tree, "--mark"));
        Assert.Contains($"| `{second}` |", File.ReadAllText(Path.Combine(_tree, "docs/DURABILITY.md")));

        Write("docs/DURABILITY.md", page.Replace(first, "0123456", StringComparison.Ordinal));
        Assert.Equal((1, "unknown   0123456   kills \n"), RunScript(_tree));
        Write("docs/DURABILITY.md", page.Replace("tests/Crash", "tests/Other", StringComparison.Ordinal));
        Assert.Equal((1, $"unmapped  {first}   kills \n"), RunScript(_tree));
    }

    private static bool CanRun() =>
        OperatingSystem.IsLinux() && File.Exists("/bin/bash") && (File.Exists("/usr/bin/git")
            || File.Exists("/bin/git")) && Path.Exists(Path.Combine(SourceTree.Root, ".git"));

    private static (int Code, string Output) RunScript(string root, params string[] arguments) =>
        Run(root, "/bin/bash", [Path.Combine(SourceTree.Root, "tests/evidence.sh"), .. arguments]);

    private string Commit()
    {
        Git("add", "-A");
        Git("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false", "commit", "-qm", "c");
        return Run(_tree, "git", "rev-parse", "--short=7", "HEAD").Output.Trim();
    }

    private void Git(params string[] arguments) => Assert.Equal(0, Run(_tree, "git", arguments).Code);

    private void Write(string path, string text)
    {
        var file = Path.Combine(_tree, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    private static (int Code, string Output) Run(string directory, string program, params string[] arguments)
    {
        var start =
            new ProcessStartInfo(program, arguments) { WorkingDirectory = directory, RedirectStandardOutput = true };
        start.Environment["EVIDENCE_ROOT"] = directory;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }
}
