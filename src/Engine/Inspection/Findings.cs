using Varve.Format;
using Varve.Storage;

namespace Varve.Inspection;

/// <summary>Gathers what an inspection finds and counts what it reads.</summary>
internal sealed class Findings
{
    /// <summary>More than this are not listed: a file of nothing but damage must not take all memory.</summary>
    public const int ProblemsMax = 65_536;

    private readonly List<Problem> _problems = [];
    private readonly Dictionary<string, (string File, long Offset)> _parts = [];

    public IReadOnlyList<Problem> Problems => _problems;

    /// <summary>Damages so far, those included that are not listed.</summary>
    public int Damages { get; private set; }

    /// <summary>The first thing met that another build wrote.</summary>
    public UnsupportedFormatException? Unsupported { get; private set; }

    /// <summary>Told now and then of the file that is read, and of the bytes read so far.</summary>
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

    /// <summary>Says that a path is a range of another file, to be reported as such.</summary>
    public void NotePart(string path, string file, long offset) => _parts.Add(path, (file, offset));

    /// <summary>Takes a damage.</summary>
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
    /// Reads a file's bytes from an offset to its end, so that a bad sector is an exception here, and not the end of
    /// the process in a mapping.
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
                $"there are more than {ProblemsMax}; the others are not listed"));
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
