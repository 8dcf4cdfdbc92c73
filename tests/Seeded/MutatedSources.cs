using System.Diagnostics;

namespace Varve.Tests.Seeded;

/// <summary>
/// A copy of the product's sources with all bugs in it, each behind a switch: one build serves every bug, and the
/// product itself has no trace of them.
/// </summary>
internal static class MutatedSources
{
    /// <summary>The number of the bug that is on; 0: none. Children of a test take it from the environment.</summary>
    public const string Variable = "VARVE_SEEDED_BUG";

    private const string Switch = $$"""
        namespace Varve;

        internal static class SeededBug
        {
            public static volatile int Number =
                int.TryParse(System.Environment.GetEnvironmentVariable("{{Variable}}"), out var number) ? number : 0;

            public static bool Is(int number) => Number == number;
        }
        """;

    /// <summary>The test project that compiles the engine's sources itself.</summary>
    public const string OwnBuild = "Schedules";

    private static readonly string[] Products = ["src/Format", "src/Engine"];
    private static readonly string[] Tests = ["tests/Schedules", "tests/Shared", "tests/Engine/Memtables"];
    private static readonly string[] BuildFiles =
        ["Directory.Build.props", "Directory.Packages.props", "BannedSymbols.txt", "global.json"];

    /// <summary>Writes the tree with the bugs to <paramref name="target"/>.</summary>
    /// <exception cref="InvalidOperationException">An edit does not fit the sources.</exception>
    public static void Write(string root, string target, IReadOnlyList<Bug> bugs)
    {
        Directory.CreateDirectory(target);
        foreach (var name in BuildFiles) File.Copy(Path.Combine(root, name), Path.Combine(target, name));
        foreach (var name in Tests.SelectMany(folder => FilesOf(root, folder))) WriteFile(name, text => text);

        var sources = SourcesOf(root);
        CheckFiles(sources, bugs);
        foreach (var name in sources) WriteFile(name, text => Mutate(Path.GetFileName(name), text, bugs));
        File.WriteAllText(Path.Combine(target, "src/Format/SeededBug.cs"), Switch);

        void WriteFile(string name, Func<string, string> change)
        {
            var copy = Path.Combine(target, name);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.WriteAllText(copy, change(File.ReadAllText(Path.Combine(root, name))));
        }
    }

    /// <summary>The files that bugs may be in, as paths from the root of the tree.</summary>
    internal static List<string> SourcesOf(string root) => [.. Products.SelectMany(folder => FilesOf(root, folder))];

    /// <summary>Each file that an edit names must exist, exactly once.</summary>
    /// <exception cref="InvalidOperationException">It is not.</exception>
    internal static void CheckFiles(IReadOnlyList<string> sources, IReadOnlyList<Bug> bugs)
    {
        var byName = sources.ToLookup(Path.GetFileName);
        foreach (var bug in bugs)
        {
            foreach (var file in bug.Edits.Select(edit => edit.File))
            {
                if (!byName.Contains(file))
                    throw new InvalidOperationException(
                        $"{bug.Name}: no file of {string.Join(" or ", Products)} is called {file}; a name is bare, "
                            + "without folders.");
                if (byName[file].Count() > 1)
                    throw new InvalidOperationException(
                        $"{bug.Name}: {file} is ambiguous: {string.Join(", ", byName[file])}.");
            }
        }
    }

    private static IEnumerable<string> FilesOf(string root, string folder) =>
        from path in Directory.EnumerateFiles(Path.Combine(root, folder), "*", SearchOption.AllDirectories)
        let name = Path.GetRelativePath(root, path).Replace('\\', '/')
        where !name.StartsWith($"{folder}/bin/", StringComparison.Ordinal)
            && !name.StartsWith($"{folder}/obj/", StringComparison.Ordinal)
        select name;

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
        "dotnet", target, "build", project, "-c", configuration, "-o", output, "-v", "quiet", "--tl:off",
        "-nodeReuse:false", "-p:TreatWarningsAsErrors=false", "-p:WarningLevel=0", "-p:RunAnalyzers=false",
        "-p:EnforceCodeStyleInBuild=false", "-p:GenerateDocumentationFile=false", "-p:UseSharedCompilation=false");

    /// <summary>The text of one file with the edits of every bug that touches it.</summary>
    /// <exception cref="InvalidOperationException">An edit does not fit the text.</exception>
    internal static string Mutate(string file, string text, IReadOnlyList<Bug> bugs)
    {
        var code = new Lazy<CodeTokens>(() => new CodeTokens(text));
        var edits = new List<(int At, int Length, string Put, string Bug)>();
        for (var i = 0; i < bugs.Count; i++)
        {
            foreach (var edit in bugs[i].Edits.Where(edit => edit.File == file))
            {
                var places = code.Value.Find(edit.Find);
                if (places.Count == 0)
                    throw new InvalidOperationException($"{bugs[i].Name}: {file} has nowhere: {edit.Find}");
                if (places.Count > 1)
                    throw new InvalidOperationException($"{bugs[i].Name}: {file} has more than once: {edit.Find}");
                if (!edit.Put.Contains("SEEDED", StringComparison.Ordinal))
                    throw new InvalidOperationException($"{bugs[i].Name}: an edit without its switch.");
                var put = edit.Put.Replace("SEEDED", $"global::Varve.SeededBug.Is({i + 1})", StringComparison.Ordinal);
                edits.Add((places[0].Start, places[0].Length, put, bugs[i].Name));
            }
        }

        edits.Sort((a, b) => b.At.CompareTo(a.At));
        for (var i = 0; i < edits.Count; i++)
        {
            var (at, length, put, bug) = edits[i];
            if (i > 0 && at + length > edits[i - 1].At)
                throw new InvalidOperationException($"{bug} and {edits[i - 1].Bug} change the same text of {file}.");
            text = string.Concat(text.AsSpan(0, at), put, text.AsSpan(at + length));
        }

        return text;
    }

    private static void Run(string program, string directory, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        foreach (var inherited in start.Environment.Keys
            .Where(key => key.StartsWith("MSBuild", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(inherited); // of the build that runs these tests
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"The sources with the bugs do not build:\n{text}\n{errors.Result}");
    }
}
