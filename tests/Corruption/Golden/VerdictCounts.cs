namespace Varve.Tests.Corruption.Golden;

/// <summary>Counts verdicts by file and region. Any thread.</summary>
internal sealed class VerdictCounts
{
    private readonly SortedDictionary<(string File, string Name), long[]> _counts = [];

    public void Add(string file, string name, Verdict verdict)
    {
        lock (_counts)
        {
            if (!_counts.TryGetValue((file, name), out var row)) _counts.Add((file, name), row = new long[5]);
            row[(int)verdict]++;
        }
    }

    public long Total
    {
        get
        {
            lock (_counts) return _counts.Values.Sum(row => row.Sum());
        }
    }

    public long Of(Verdict verdict)
    {
        lock (_counts) return _counts.Values.Sum(row => row[(int)verdict]);
    }

    public void Print(Action<string> write)
    {
        lock (_counts)
        {
            write($"{"file",-16} {"region",-32} {"open",10} {"read",10} {"verify",8} {"harmless",10} {"gap",8}");
            foreach (var ((file, name), row) in _counts)
                write(
                    $"{file,-16} {name,-32} {row[0],10:n0} {row[1],10:n0} {row[2],8:n0} {row[3],10:n0} {row[4],8:n0}");
            write(
                $"{"all",-16} {"",-32} {Of(Verdict.Open),10:n0} {Of(Verdict.Read),10:n0} {Of(Verdict.Verify),8:n0} "
                    + $"{Of(Verdict.Harmless),10:n0} {Of(Verdict.Gap),8:n0}");
        }
    }
}
