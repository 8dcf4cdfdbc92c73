namespace Varve;

/// <summary>The root of every failure that the engine reports of itself or of its files.</summary>
public abstract class VarveException : IOException
{
    private protected VarveException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>Stored bytes are not what was written. The engine refuses to go on with them.</summary>
public sealed class CorruptionException : VarveException
{
    /// <summary>Reports a bad byte range of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="offset">Where in the file, in bytes.</param>
    /// <param name="kind">What was being read there.</param>
    /// <param name="expected">What should have been there, where that is one thing.</param>
    /// <param name="actual">What was there.</param>
    /// <param name="inner">The failure behind it, if any.</param>
    public CorruptionException(
        string path, long offset, string kind, string? expected = null, string? actual = null, Exception? inner = null)
        : this(
            expected is null ? "damaged" : $"{actual ?? "other bytes"} instead of {expected}", path, offset, kind,
            expected, actual, inner)
    {
    }

    private CorruptionException(
        string problem, string path, long offset, string kind, string? expected, string? actual, Exception? inner)
        : base($"{path} at offset {offset}: {kind}: {problem}", inner)
    {
        Path = path;
        Offset = offset;
        Kind = kind;
        Problem = problem;
        Expected = expected;
        Actual = actual;
    }

    /// <summary>Reports a bad byte range of which one sentence says what is wrong.</summary>
    internal static CorruptionException Of(
        string path, long offset, string kind, string problem, string? expected = null, string? actual = null) =>
        new(problem, path, offset, kind, expected, actual, null);

    /// <summary>The file that is corrupt.</summary>
    public string Path { get; }

    /// <summary>Where in the file, in bytes.</summary>
    public long Offset { get; }

    /// <summary>What was being read there.</summary>
    public string Kind { get; }

    /// <summary>What is wrong, as in the message.</summary>
    public string Problem { get; }

    /// <summary>What should have been there, where that is one thing.</summary>
    public string? Expected { get; }

    /// <summary>What was there.</summary>
    public string? Actual { get; }
}

/// <summary>
/// A file is intact and says something that this build does not know: a version, a feature bit, a type of record.
/// Another build wrote it; open the file with that build, or with a later one. Nothing was changed.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="offset">Where in the file, in bytes.</param>
/// <param name="met">What stands there, such as <c>manifest of version 2</c>.</param>
public sealed class UnsupportedFormatException(string path, long offset, string met)
    : VarveException($"{path} at offset {offset}: {met}, which this build does not support")
{
    /// <summary>The file.</summary>
    public string Path { get; } = path;

    /// <summary>Where in the file, in bytes; in a compressed file, where in what it holds.</summary>
    public long Offset { get; } = offset;

    /// <summary>What stands there.</summary>
    public string Met { get; } = met;
}

/// <summary>The disk is full. Nothing was acknowledged; the engine goes on when there is space.</summary>
/// <param name="path">The file that could not grow.</param>
/// <param name="inner">The failure of the operating system.</param>
public sealed class StorageFullException(string path, Exception? inner = null)
    : VarveException($"{path}: no space left on the device", inner)
{
    /// <summary>The file that could not grow.</summary>
    public string Path { get; } = path;
}

/// <summary>
/// The process, or the system, has no file descriptor left. Nothing was acknowledged; the engine goes on when there is
/// one.
/// </summary>
/// <param name="path">The file that could not be opened.</param>
/// <param name="inner">The failure of the operating system.</param>
public sealed class TooManyOpenFilesException(string path, Exception? inner = null)
    : VarveException($"{path}: no file descriptor left to open it with", inner)
{
    /// <summary>The file that could not be opened.</summary>
    public string Path { get; } = path;
}

/// <summary>
/// The system gives the process no more memory mappings. Nothing was acknowledged; the engine goes on when it does.
/// </summary>
/// <param name="path">The file that could not be mapped.</param>
/// <param name="inner">The failure of the operating system.</param>
public sealed class TooManyMappingsException(string path, Exception? inner = null)
    : VarveException(
        $"{path}: the system gives this process no more memory mappings (on Linux, vm.max_map_count or a limit of "
            + "address space)",
        inner)
{
    /// <summary>The file that could not be mapped.</summary>
    public string Path { get; } = path;
}

/// <summary>
/// An earlier failure left the engine unable to promise anything more; this instance acknowledges nothing from then on.
/// Close it and open the directory again.
/// </summary>
/// <param name="first">The first failure, latched.</param>
public sealed class EngineFaultedException(Exception first)
    : VarveException($"The engine stopped accepting work after a failure: {first?.Message}", first);

/// <summary>Another engine, in this process or another, has the directory open.</summary>
/// <param name="directory">The directory.</param>
public sealed class AlreadyOpenException(string directory)
    : VarveException($"{directory}: already open by another engine")
{
    /// <summary>The directory.</summary>
    public string Directory { get; } = directory;
}

/// <summary>A chunk does not follow on what was applied. Nothing of it was applied.</summary>
/// <param name="expected">The index that had to come next.</param>
/// <param name="actual">The index that came.</param>
public sealed class LogGapException(ulong expected, ulong actual)
    : VarveException($"Log gap: expected index {expected}, got {actual}")
{
    /// <summary>The index that had to come next.</summary>
    public ulong ExpectedIndex { get; } = expected;

    /// <summary>The index that came.</summary>
    public ulong ActualIndex { get; } = actual;
}

/// <summary>
/// An entry that is not above the applied position has no known outcome: it was applied too long ago, or the position
/// was moved past it. Nothing was applied.
/// </summary>
public sealed class DuplicateEntryException : VarveException
{
    /// <summary>Reports an entry whose outcome is no longer kept.</summary>
    /// <param name="index">The entry's log index.</param>
    public DuplicateEntryException(ulong index)
        : this(index, $"Entry {index} was applied before and its outcome is no longer kept")
    {
    }

    private DuplicateEntryException(ulong index, string message) : base(message) => Index = index;

    /// <summary>The entry's log index.</summary>
    public ulong Index { get; }

    internal static DuplicateEntryException OfPassedOver(ulong index, ulong applied) =>
        new(index, $"Entry {index} was never applied: the position, at {applied} now, was moved past it");
}

/// <summary>A snapshot was refused before it touched the live state, which goes on serving.</summary>
/// <param name="path">The snapshot.</param>
/// <param name="reason">Why.</param>
/// <param name="inner">The failure behind it, if any.</param>
public sealed class SnapshotRejectedException(string path, string reason, Exception? inner = null)
    : VarveException($"{path}: snapshot rejected: {reason}", inner)
{
    /// <summary>The snapshot.</summary>
    public string Path { get; } = path;
}
