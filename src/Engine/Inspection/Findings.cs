using Varve.Format;
using Varve.Storage;

namespace Varve.Inspection;

/// <summary>Collects the findings of an inspection and counts the bytes that it reads. One thread.</summary>
internal sealed class Findings
{
    /// <summary>Limit on listed problems: a file full of damage must not exhaust memory.</summary>
    public const int ProblemsMax = 65_536;

    private readonly List<Problem> _problems = [];
    private readonly Dictionary<string, (string File, long Offset)> _parts = [];

    public IReadOnlyList<Problem> Problems => _problems;

    /// <summary>Damage reports so far, listed or not.</summary>
    public int Damages { get; private set; }

    /// <summary>The first structure of a newer build; null if there is none.</summary>
    public UnsupportedFormatException? Unsupported { get; private set; }

    /// <summary>Receives now and then the path of the file and the bytes read so far.</summary>
    public Action<string, long>? Progress { get; init; }

    public int Files { get; set; }

    public long Bytes { get; set; }

    public long Blocks { get; set; }

    public long Rows { get; set; }

    public long Records { get; set; }

    public long Entries { get; set; }

    /// <summary>Counts a record of the log.</summary>
    public void Count(in WalRecordHeader header)
    {
        Records++;
        Entries += header.EntryCount;
    }

    /// <summary>Maps a path to a range of another file, under which its problems are listed.</summary>
    public void AddPart(string path, string file, long offset) => _parts.Add(path, (file, offset));

    /// <summary>Adds damage.</summary>
    public void Report(VarveException damage)
    {
        Damages++;
        Unsupported ??= damage as UnsupportedFormatException;
        Add(damage switch
        {
            CorruptionException c => new Problem(c.Path, c.Offset, c.Kind, c.Problem),
            UnsupportedFormatException u =>
                new Problem(u.Path, u.Offset, "format", $"{u.Met}, which this build does not support"),
            SnapshotRejectedException s => new Problem(s.Path, 0, "snapshot", s.Message),
            _ => throw damage,
        });
    }

    public void Report(string file, long offset, string structure, string problem) =>
        Report(CorruptionException.Of(file, offset, structure, problem));

    public void Remark(string file, long offset, string structure, string text) =>
        Add(new Problem(file, offset, structure, text, Severity.Remark));

    /// <summary>
    /// Reads a file from an offset to its end. A bad sector throws here; in a mapping it would end the process.
    /// </summary>
    public void ReadThrough(IStorage storage, string path, long from, int piece = 64 << 10)
    {
        using var file = storage.Open(path, FileIntent.Read);
        var length = file.Length;
        var buffer = new byte[piece];
        for (var at = Math.Max(0, from); at < length; at += piece)
        {
            var part = (int)Math.Min(piece, length - at);
            file.Read(at, buffer.AsSpan(0, part));
            Bytes += part;
            Progress?.Invoke(path, Bytes);
        }
    }

    private void Add(Problem problem)
    {
        if (_problems.Count > ProblemsMax) return;
        if (_problems.Count == ProblemsMax)
        {
            _problems.Add(new Problem(
                problem.File, problem.Offset, "list of problems",
                $"more than {ProblemsMax} problems; the rest is not listed"));
            return;
        }

        if (_parts.TryGetValue(problem.File, out var part))
        {
            var name = Path.GetFileName(problem.File);
            problem = problem with
            {
                File = part.File,
                Offset = part.Offset + problem.Offset,
                Structure = $"{problem.Structure} of {name}"
            };
        }

        _problems.Add(problem);
    }
}
