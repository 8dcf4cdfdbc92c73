namespace Varve.Cli.Shell;

/// <summary>
/// The lines of earlier prompts, oldest first, and a walk through them. Kept in a file of its user's alone if there is
/// a path; a file that cannot be read or written costs the history, not the shell.
/// </summary>
internal sealed class LineHistory
{
    private const int LinesMax = 1000;

    private readonly List<string> _lines = [];
    private readonly string? _path;
    private int _at;
    private string _typed = "";

    public LineHistory(string? path)
    {
        _path = path;
        try
        {
            if (path is not null && File.Exists(path)) _lines.AddRange(File.ReadLines(path).TakeLast(LinesMax));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _path = null;
        }

        _at = _lines.Count;
    }

    /// <summary>The user's file: VARVE_HISTORY, or .varve_history at home; null if the variable is empty.</summary>
    public static string? DefaultPath() => Environment.GetEnvironmentVariable("VARVE_HISTORY") switch
    {
        "" => null,
        { } path => path,
        null => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home
            ? Path.Combine(home, ".varve_history")
            : null,
    };

    /// <summary>Adds a line, unless it is empty or the last one again, and ends the walk.</summary>
    public void Add(string line)
    {
        if (line.Length > 0 && (_lines.Count == 0 || _lines[^1] != line)) _lines.Add(line);
        if (_lines.Count > LinesMax) _lines.RemoveAt(0);
        _at = _lines.Count;
    }

    /// <summary>The line before; the oldest one stays.</summary>
    /// <param name="typed">The line that is being typed, to which <see cref="Next"/> returns.</param>
    public string Previous(string typed)
    {
        if (_at == _lines.Count) _typed = typed;
        if (_at == 0) return _lines.Count == 0 ? typed : _lines[0];
        return _lines[--_at];
    }

    /// <summary>The line after; behind the newest one the line that was being typed.</summary>
    public string Next(string typed)
    {
        if (_at >= _lines.Count) return typed;
        return ++_at == _lines.Count ? _typed : _lines[_at];
    }

    public void Save()
    {
        if (_path is null) return;
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using var writer = new StreamWriter(_path, options);
            foreach (var line in _lines) writer.WriteLine(line);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The commands have run; a history that cannot be kept is no failure of theirs.
        }
    }
}
