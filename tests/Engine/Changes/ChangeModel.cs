using System.Text;

namespace Varve.Tests.Engine.Changes;

/// <summary>The changes that a log must give, and of the state as much as they depend on. No engine code.</summary>
internal sealed class ChangeModel
{
    private readonly List<Change> _changes = [];
    private Dictionary<string, (string Value, ulong Deadline)> _live = new(StringComparer.Ordinal);

    /// <summary>The last applied index.</summary>
    public ulong Index { get; private set; }

    /// <summary>The log time, Unix milliseconds.</summary>
    public ulong TimeMs { get; set; } = 1_000;

    /// <summary>Indexes up to here may be lost to a reader that begins.</summary>
    public ulong LostMost { get; set; }

    /// <summary>The value of a key that is not expired.</summary>
    public string? ValueOf(string key) =>
        _live.TryGetValue(key, out var found) && (found.Deadline == 0 || found.Deadline > TimeMs) ? found.Value : null;

    public void Applied(string key, Command command, bool succeeded)
    {
        Index++;
        if (!succeeded || command.Kind == CommandKind.Noop) return;
        if (command.Kind is CommandKind.Delete or CommandKind.CompareAndDelete)
        {
            _live.Remove(key);
            Add(ChangeKind.Delete, key, "");
            return;
        }

        var value = command.Kind == CommandKind.Renew ? _live[key].Value : Encoding.UTF8.GetString(command.Value.Span);
        _live[key] = (value, command.TtlSeconds == 0 ? 0 : TimeMs + (command.TtlSeconds * 1_000));
        Add(ChangeKind.Put, key, value);
    }

    public void CleanedUp(IEnumerable<string> keys)
    {
        foreach (var key in keys.OrderBy(key => _live[key].Deadline).ThenBy(key => key, StringComparer.Ordinal))
        {
            _live.Remove(key);
            Add(ChangeKind.Expired, key, "");
        }
    }

    public void MovedTo(ulong index) => Index = index;

    public List<Change> From(ulong index, string prefix) =>
        [.. _changes.Where(change => change.Index >= index
            && Encoding.UTF8.GetString(change.Key.Span).StartsWith(prefix, StringComparison.Ordinal))];

    public ChangeModel Copy()
    {
        var copy = new ChangeModel { Index = Index, TimeMs = TimeMs };
        copy._live = new(_live, StringComparer.Ordinal);
        return copy;
    }

    /// <summary>The state of a snapshot; changes up to it are lost.</summary>
    public void Install(ChangeModel snapshot)
    {
        if (snapshot.Index != Index) _changes.Clear();
        (Index, TimeMs, LostMost) = (snapshot.Index, snapshot.TimeMs, snapshot.Index);
        _live = new(snapshot._live, StringComparer.Ordinal);
    }

    public void Reset()
    {
        _changes.Clear();
        _live.Clear();
        (Index, TimeMs, LostMost) = (0, 1_000, 0);
    }

    private void Add(ChangeKind kind, string key, string value) =>
        _changes.Add(new Change(Index, 1, kind, Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value)));
}
