namespace Varve.Changes;

/// <summary>
/// Copies the changes of keys with a prefix, up to a number and a size; at least one, whatever its size.
/// </summary>
internal struct ChangeBatch(byte[] prefix, List<Change> changes) : IChangeSink
{
    private long _bytes;

    /// <inheritdoc/>
    public bool Take(in ChangeView change, in ChangeCursor at)
    {
        if (!change.Key.StartsWith(prefix)) return true;
        if (changes.Count > 0
            && (changes.Count >= ChangeReader.CountMax || _bytes + change.Bytes > ChangeReader.BytesMax))
            return false;
        _bytes += change.Bytes;
        changes.Add(change.Copy());
        return true;
    }
}
