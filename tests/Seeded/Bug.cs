namespace Varve.Tests.Seeded;

/// <summary>A bug that is put into the product on purpose, and the test that has to find it.</summary>
/// <param name="Name">How it is called, on the command line too.</param>
/// <param name="Wrong">What is wrong, in one line.</param>
/// <param name="CaughtBy">Project, class and method of the test, as in <c>Engine: Wal.TornTailTests.Name</c>; a
/// namespace that does not begin with the project's is written out.</param>
/// <param name="Edits">How the sources are changed.</param>
internal sealed record Bug(string Name, string Wrong, string CaughtBy, params Edit[] Edits)
{
    /// <summary>The test project's folder under tests.</summary>
    public string Project => CaughtBy[..CaughtBy.IndexOf(':', StringComparison.Ordinal)];

    /// <summary>The class with its namespace, and the method.</summary>
    public string Test =>
        ShortTest.StartsWith("Varve.", StringComparison.Ordinal) ? ShortTest : $"Varve.Tests.{Project}.{ShortTest}";

    private string ShortTest => CaughtBy[(Project.Length + 2)..];

    public override string ToString() => Name;
}

/// <summary>A change of one source file.</summary>
/// <param name="File">The file's name, wherever in src/Format or src/Engine it is: a move costs nothing.</param>
/// <param name="Find">
/// What stands there exactly once, token for token (see <see cref="CodeTokens"/>): new line breaks and indentation cost
/// nothing. If it does not stand there, the list is out of date, and the harness fails.
/// </param>
/// <param name="Put">What stands there instead, in which SEEDED is true when this bug is switched on, and false
/// otherwise.</param>
internal sealed record Edit(string File, string Find, string Put);
