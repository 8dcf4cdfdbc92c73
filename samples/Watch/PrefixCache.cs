using System.Collections.Concurrent;

namespace Varve.Samples.Watch;

/// <summary>The values of keys with a prefix, in memory, kept current by the changes of an engine.</summary>
internal sealed class PrefixCache(LsmStateMachine engine, string prefix)
{
    private readonly ConcurrentDictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <summary>Called after each change.</summary>
    public Action<Change>? Changed { get; set; }

    /// <summary>The entries, in the order of their keys.</summary>
    public IEnumerable<string> Entries =>
        _values.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{entry.Key} = {entry.Value}");

    /// <summary>Follows the engine until the token ends it.</summary>
    public async Task FollowAsync(CancellationToken end)
    {
        while (true)
        {
            var revision = Load();
            try
            {
                await foreach (var change in engine.ReadChangesAsync(revision + 1, prefix.ToUtf8(), end))
                    Take(change);
            }
            catch (ChangesLostException)
            {
                // Too slow for the kept history, or the state was replaced: read it again.
            }
        }
    }

    /// <summary>Reads the present state, and returns the index that it is of.</summary>
    private ulong Load()
    {
        using var view = engine.OpenView();
        _values.Clear();
        foreach (var entry in view.ScanPrefix(prefix.ToUtf8())) _values[entry.Key.ToText()] = entry.Value.ToText();
        return view.Revision;
    }

    private void Take(Change change)
    {
        var key = change.Key.Span.ToText();
        if (change.Kind == ChangeKind.Put) _values[key] = change.Value.Span.ToText();
        else _values.TryRemove(key, out _); // Delete or Expired
        Changed?.Invoke(change);
    }
}
