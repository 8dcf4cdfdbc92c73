using Varve.Epochs;

namespace Varve.Recovery;

/// <summary>
/// All that an open has opened so far, to be given back if it fails. An opened part that passes to another owner is
/// dropped here. One thread.
/// </summary>
internal sealed class OpenedParts : IDisposable
{
    private readonly List<IDisposable> _parts = [];
    private readonly List<RefCounted> _references = []; // one reference each

    /// <summary>Adds a part, which is disposed if the open fails.</summary>
    public T Add<T>(T part) where T : IDisposable
    {
        _parts.Add(part);
        return part;
    }

    /// <summary>Drops a part: it has another owner from here on.</summary>
    public void Drop(IDisposable part) => _parts.Remove(part);

    /// <summary>Adds the caller's one reference, which is released if the open fails, and at its end.</summary>
    public void AddReference(RefCounted reference) => _references.Add(reference);

    /// <summary>Releases the references: the first version has its own.</summary>
    public void ReleaseReferences()
    {
        foreach (var reference in _references) reference.Release();
        _references.Clear();
    }

    /// <summary>Gives everything back: the open has failed.</summary>
    public void Dispose()
    {
        ReleaseReferences();
        foreach (var part in _parts) part.Dispose();
    }
}
