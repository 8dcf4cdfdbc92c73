using Varve.Storage;
using Varve.Versions;

namespace Varve.Recovery;

/// <summary>
/// Deletes files of a database that nothing names. Files with other names stay. A file that cannot be deleted stays
/// too, as a segment does that a reader has mapped; a later open deletes it.
/// </summary>
internal sealed class OrphanSweeper(IStorage storage, string directory)
{
    /// <summary>
    /// Deletes temporary files and staging directories that a crash left behind. No manifest names such files, so this
    /// needs none.
    /// </summary>
    public void SweepDebris(IReadOnlyList<string> names)
    {
        foreach (var name in names)
        {
            if (FileNames.IsTemporary(name)) DurableFile.TryDelete(storage, PathOf(name));
            else if (FileNames.IsStaging(name)) DirectoryTree.TryDelete(storage, PathOf(name.TrimEnd('/')));
        }
    }

    /// <summary>
    /// Deletes tables, manifests and segments that the manifest does not name. It is durable by now (I5).
    /// </summary>
    /// <param name="manifest">The manifest that CURRENT names.</param>
    /// <param name="segmentsInUse">Numbers of segments that stay, although they precede the manifest's first.</param>
    public void SweepUnnamed(ManifestStore manifest, HashSet<ulong> segmentsInUse)
    {
        var named = manifest.Content.Runs.SelectMany(run => run).Select(table => table.Table.Number).ToHashSet();
        foreach (var name in storage.List(directory))
        {
            if ((FileNames.TryParse(name, FileNames.TableSuffix, out var table) && !named.Contains(table))
                || (FileNames.TryParse(name, FileNames.ManifestSuffix, out var number) && number != manifest.Number)
                || (FileNames.TryParse(name, FileNames.SegmentSuffix, out var segment)
                    && segment < manifest.Content.FirstSegment && !segmentsInUse.Contains(segment)))
            {
                DurableFile.TryDelete(storage, PathOf(name));
            }
        }
    }

    private string PathOf(string name) => Path.Combine(directory, name);
}
