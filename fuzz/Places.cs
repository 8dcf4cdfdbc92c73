using Varve.Fuzz.Mutation;
using Varve.Fuzz.Targets;

namespace Varve.Fuzz;

/// <summary>The directories of inputs: the corpus, which is committed, and findings, which are not.</summary>
internal static class Places
{
    public const string SeedPrefix = "seed-";

    public static string Root { get; } = FindRoot();

    public static string Corpus => Path.Combine(Root, "fuzz", "Corpus");

    public static string Findings => Path.Combine(Root, "fuzz", "findings");

    /// <summary>The corpus of a target by file name: seeds, and regressions of findings.</summary>
    public static IEnumerable<(string Name, byte[] Bytes)> CorpusOf(FuzzTarget target)
    {
        var directory = Path.Combine(Corpus, target.Name);
        if (!Directory.Exists(directory)) return [];
        return Directory.GetFiles(directory).Order(StringComparer.Ordinal)
            .Select(path => (Path.GetFileName(path), File.ReadAllBytes(path)));
    }

    /// <summary>Writes the seeds that code makes, over those that are there.</summary>
    public static int WriteSeeds(FuzzTarget target)
    {
        var directory = Directory.CreateDirectory(Path.Combine(Corpus, target.Name)).FullName;
        foreach (var old in Directory.GetFiles(directory, SeedPrefix + "*")) File.Delete(old);
        var count = 0;
        foreach (var (name, bytes) in target.Seeds())
        {
            File.WriteAllBytes(Path.Combine(directory, $"{SeedPrefix}{name}.bin"), bytes);
            count++;
        }

        return count;
    }

    /// <summary>Writes the input and, beside it, how it was come by; gives the input's path.</summary>
    public static string Save(Finding finding)
    {
        Directory.CreateDirectory(Findings);
        var path = Path.Combine(
            Findings, $"{finding.Target}-{finding.Kind}-{finding.Seed}-{finding.Execution}.bin".ToLowerInvariant());
        File.WriteAllBytes(path, finding.Input);
        File.WriteAllText(Path.ChangeExtension(path, ".log"), finding.ToString());
        return path;
    }

    private static string FindRoot()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "Engine.sln"))) return at.FullName;
        return Environment.CurrentDirectory;
    }
}
