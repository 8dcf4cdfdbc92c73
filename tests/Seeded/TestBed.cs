namespace Varve.Tests.Seeded;

/// <summary>
/// The test projects' outputs, copied, with the libraries that have the bugs in the place of the real ones. Made once;
/// disposing removes it, with everything that the tests left behind.
/// </summary>
internal sealed class TestBed : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("varve-seeded-").FullName;

    /// <summary>Copies, mutates and builds.</summary>
    public TestBed(IReadOnlyList<Bug> bugs, IEnumerable<string> projects)
    {
        var root = Root();
        var configuration = Path.GetFileName(
            Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)))!;
        var sources = Path.Combine(_directory, "tree");
        try
        {
            MutatedSources.Write(root, sources, bugs);
            var libraries = MutatedSources.Build(sources, configuration);
            foreach (var project in projects)
            {
                if (project == MutatedSources.OwnBuild)
                {
                    MutatedSources.BuildOwn(sources, configuration, BedOf(project));
                }
                else
                {
                    var bin = Path.Combine(root, "tests", project, "bin", configuration, "net10.0");
                    if (!Directory.Exists(bin)) throw new InvalidOperationException($"{project} is not built.");
                    CopyTree(bin, BedOf(project));
                    foreach (var library in libraries)
                        File.Copy(library, Path.Combine(BedOf(project), Path.GetFileName(library)), overwrite: true);
                }

                // Without a list of its own dependencies the host resolves everything from the directory.
                foreach (var name in (ReadOnlySpan<string>)[
                    "Varve.Tests.Seeded.dll", "Varve.Tests.Seeded.runtimeconfig.json"])
                    File.Copy(
                        Path.Combine(AppContext.BaseDirectory, name), Path.Combine(BedOf(project), name),
                        overwrite: true);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The root of the tree, upward from here.</summary>
    public static string Root()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "Engine.sln"))) return at.FullName;
        throw new InvalidOperationException("There is no Engine.sln above the test assembly.");
    }

    /// <summary>A process for the tests of a project.</summary>
    public TestProcess Start(string project) => new(
        BedOf(project), project,
        Directory.CreateDirectory(Path.Combine(_directory, $"run-{Guid.NewGuid():N}")).FullName);

    public void Dispose() => TryDelete(_directory);

    private string BedOf(string project) => Path.Combine(_directory, "tests", project);

    private static void CopyTree(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        foreach (var directory in Directory.EnumerateDirectories(from))
            CopyTree(directory, Path.Combine(to, Path.GetFileName(directory)));
    }

    private static void TryDelete(string directory)
    {
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (IOException)
        {
            // Below the system's directory for temporaries; a child of a test may still be dying in it.
        }
    }
}
