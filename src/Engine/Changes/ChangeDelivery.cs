namespace Varve.Changes;

/// <summary>Gives each change to the readers of its key's prefixes: one copy for all of them, none if there are
/// none.</summary>
internal readonly struct ChangeDelivery(PrefixRoutes routes) : IChangeSink
{
    /// <inheritdoc/>
    public bool Take(in ChangeView change, in ChangeCursor at)
    {
        var group = routes.Find(change.Key);
        if (group < 0) return true;
        var copy = change.Copy();
        for (; group >= 0; group = routes.ParentOf(group))
            foreach (var reader in routes.ReadersOf(group)) reader.Deliver(copy, at);
        return true;
    }
}
