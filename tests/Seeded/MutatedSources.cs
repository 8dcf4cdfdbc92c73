using System.Diagnostics;

namespace Varve.Tests.Seeded;

/// <summary>
/// A copy of the product's sources with all bugs in it, each behind a switch: one build serves every bug,
/// and the product itself knows nothing of them.
/// </summary>
internal static class MutatedSources
{
    /// <summary>The number of the bug that is on; 0: none. Children of a test take it from the environment.</summary>
    public const string Variable = "VARVE_SEEDED_BUG";

    private const string Switch = $$"""
        namespace Varve;

        internal static class SeededBug
        {
            public static volatile int Number = int.TryParse(System.Environment.GetEnvironmentVariable("{{Variable}}"), out var number) ? number : 0;

            public static bool Is(int number) => Number == number;
        }
        """;

    /// <summary>The test project that compiles the engine's sources itself.</summary>
    public const string OwnBuild = "Schedules";

    private static readonly string[] Copied = ["src/Format", "src/Engine", "tests/Schedules", "tests/Shared", "tests/Engine/Memtables"];
    private static readonly string[] BuildFiles = ["Directory.Build.props", "Directory.Packages.props", "BannedSymbols.txt", "global.json"];

    /// <summary>Writes the tree with the bugs to <paramref name="target"/>.</summary>
    /// <exception cref="InvalidOperationException">An edit does not fit the sources.</exception>
    public static void Write(string root, string target, IReadOnlyList<Bug> bugs)
    {
        foreach (var name in BuildFiles)
        {
            Directory.CreateDirectory(target);
            File.Copy(Path.Combine(root, name), Path.Combine(target, name));
        }

        foreach (var project in Copied)
        {
            foreach (var path in Directory.EnumerateFiles(Path.Combine(root, project), "*", SearchOption.AllDirectories))
            {
                var name = Path.GetRelativePath(root, path).Replace('\\', '/');
                if (name.StartsWith($"{project}/bin/", StringComparison.Ordinal) || name.StartsWith($"{project}/obj/", StringComparison.Ordinal)) continue;
                var copy = Path.Combine(target, name);
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.WriteAllText(copy, Mutate(name, File.ReadAllText(path), bugs));
            }
        }

        File.WriteAllText(Path.Combine(target, "src/Format/SeededBug.cs"), Switch);
        foreach (var edit in bugs.SelectMany(bug => bug.Edits))
            if (!File.Exists(Path.Combine(target, edit.File))) throw new InvalidOperationException($"{edit.File}: no such source file.");
    }

    /// <summary>Builds the tree; answers the paths of the two libraries.</summary>
    public static string[] Build(string target, string configuration)
    {
        var output = Path.Combine(target, "out");
        Build(target, "src/Engine/Engine.csproj", configuration, output);
        return [Path.Combine(output, "Varve.Format.dll"), Path.Combine(output, "Varve.Engine.dll")];
    }

    /// <summary>Builds the test project that compiles the engine's sources itself.</summary>
    public static void BuildOwn(string target, string configuration, string output) =>
        Build(target, $"tests/{OwnBuild}/{OwnBuild}.Tests.csproj", configuration, output);

    private static void Build(string target, string project, string configuration, string output) => Run(
        "dotnet", target, "build", project, "-c", configuration, "-o", output, "-v", "quiet", "--tl:off", "-nodeReuse:false",
        "-p:TreatWarningsAsErrors=false", "-p:WarningLevel=0", "-p:RunAnalyzers=false", "-p:EnforceCodeStyleInBuild=false",
        "-p:GenerateDocumentationFile=false", "-p:UseSharedCompilation=false");

    /// <summary>The text of one file with the edits of every bug that touches it.</summary>
    internal static string Mutate(string name, string text, IReadOnlyList<Bug> bugs)
    {
        var edits = new List<(int At, int Length, string Put, string Bug)>();
        for (var i = 0; i < bugs.Count; i++)
        {
            foreach (var edit in bugs[i].Edits.Where(edit => edit.File == name))
            {
                var at = text.IndexOf(edit.Find, StringComparison.Ordinal);
                if (at < 0) throw new InvalidOperationException($"{bugs[i].Name}: {name} has nowhere: {edit.Find}");
                if (text.IndexOf(edit.Find, at + 1, StringComparison.Ordinal) >= 0) throw new InvalidOperationException($"{bugs[i].Name}: {name} has more than once: {edit.Find}");
                if (!edit.Put.Contains("SEEDED", StringComparison.Ordinal)) throw new InvalidOperationException($"{bugs[i].Name}: an edit without its switch.");
                edits.Add((at, edit.Find.Length, edit.Put.Replace("SEEDED", $"global::Varve.SeededBug.Is({i + 1})", StringComparison.Ordinal), bugs[i].Name));
            }
        }

        edits.Sort((a, b) => b.At.CompareTo(a.At));
        for (var i = 0; i < edits.Count; i++)
        {
            var (at, length, put, bug) = edits[i];
            if (i > 0 && at + length > edits[i - 1].At) throw new InvalidOperationException($"{bug} and {edits[i - 1].Bug} change the same text of {name}.");
            text = string.Concat(text.AsSpan(0, at), put, text.AsSpan(at + length));
        }

        return text;
    }

    private static void Run(string program, string directory, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var inherited in start.Environment.Keys.Where(key => key.StartsWith("MSBuild", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(inherited); // of the build that runs these tests
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"The sources with the bugs do not build:\n{text}\n{errors.Result}");
    }
}
