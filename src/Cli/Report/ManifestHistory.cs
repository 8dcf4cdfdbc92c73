using Varve.Cli.Data;
using Varve.Format;
using Varve.Recovery;
using Varve.Storage;

namespace Varve.Cli.Report;

/// <summary>
/// The bytes that flushes and compactions wrote to tables since the manifest was begun. Its first record states the
/// tables of that time. Each later record that adds new tables is a flush, which moves the state on, or a compaction,
/// which does not. An install and a reset replace everything: the sums begin anew there.
/// </summary>
internal sealed class ManifestHistory
{
    private const int LooksMax = 8;

    private readonly HashSet<ulong> _known = [];

    public int Flushes { get; private set; }

    public long FlushBytes { get; private set; }

    public int Compactions { get; private set; }

    public long CompactionBytes { get; private set; }

    /// <summary>Bytes written to tables for each byte that a flush wrote; 0 before the first flush.</summary>
    public double WriteAmplification =>
        FlushBytes == 0 ? 0 : (FlushBytes + CompactionBytes) / (double)FlushBytes;

    /// <summary>Reads the manifest of a database, up to its last whole record.</summary>
    /// <exception cref="CorruptionException">CURRENT or the manifest is damaged.</exception>
    /// <exception cref="IOException">The files cannot be read.</exception>
    public static ManifestHistory Read(string directory)
    {
        var storage = Storages.Default;
        for (var look = 1; ; look++)
        {
            var current = DatabaseOpener.ReadPointer(storage, Path.Combine(directory, FileNames.Current));
            var path = Path.Combine(directory, FileNames.Manifest(current.ManifestNumber));
            try
            {
                return Of(File.ReadAllBytes(path), path);
            }
            catch (FileNotFoundException) when (look < LooksMax)
            {
                // A writer has begun another manifest since CURRENT was read.
            }
        }
    }

    private static ManifestHistory Of(ReadOnlySpan<byte> file, string path)
    {
        var edits = new ManifestEdits(file, path);
        var history = new ManifestHistory();
        while (edits.Read() == ManifestReadResult.Record) history.Add(edits.Current);
        return history;
    }

    private void Add(VersionEdit edit)
    {
        if (edit.Replace)
        {
            (Flushes, FlushBytes, Compactions, CompactionBytes) = (0, 0, 0, 0);
            _known.Clear();
        }

        // A table that only moves to another run is added again under its number.
        var written = 0L;
        foreach (var added in edit.Added)
            if (_known.Add(added.Table.Number)) written += added.Table.Length;
        if (edit.Replace || written == 0) return;
        if (edit.State is null) (Compactions, CompactionBytes) = (Compactions + 1, CompactionBytes + written);
        else (Flushes, FlushBytes) = (Flushes + 1, FlushBytes + written);
    }
}
