using Varve.Tests.Simulation.Lives;

namespace Varve.Tests.Simulation.Crash;

/// <summary>The changes that a recovered log gives, beside those of the model.</summary>
internal static class FeedAfterCrash
{
    /// <summary>
    /// The difference, or null. From the oldest index that can be read, the changes are the model's, and an expiry is
    /// given for a key whose lease had ended, once.
    /// </summary>
    public static string? Compare(LsmStateMachine machine, LineState state)
    {
        var given = Read(machine, out var oldest);
        if (oldest > state.Id.Index + 1) return $"the oldest index that can be read is {oldest}";
        var leases = new Dictionary<string, ulong>(StringComparer.Ordinal);
        var next = 0;
        for (; next < state.Changes.Count && state.Changes[next].Change.Index < oldest; next++) Note(next);
        var before = oldest;
        foreach (var change in given)
        {
            if (change.Index < before) return $"{change} comes after the change of index {before}";
            before = change.Index;
            if (change.Kind == ChangeKind.Expired)
            {
                if (!leases.Remove(Text(change.Key), out var deadline) || deadline > state.Time)
                    return $"{change} is no lease that has ended, or comes twice";
                continue;
            }

            if (next == state.Changes.Count) return $"{change} is more than there should be";
            if (!change.Equals(state.Changes[next].Change)) return $"{change} is not {state.Changes[next].Change}";
            Note(next++);
        }

        return next == state.Changes.Count ? null : $"{state.Changes[next].Change} is missing";

        void Note(int at)
        {
            var (change, deadline) = state.Changes[at];
            if (deadline == ulong.MaxValue) leases.Remove(Text(change.Key));
            else leases[Text(change.Key)] = deadline;
        }
    }

    /// <summary>All that is there: no thread adds anything, so a step that waits is the end.</summary>
    private static List<Change> Read(LsmStateMachine machine, out ulong oldest)
    {
        for (oldest = 1; ;)
        {
            var changes = machine.ReadChangesAsync(oldest).GetAsyncEnumerator(); // the close ends the last step
            var given = new List<Change>();
            var step = changes.MoveNextAsync();
            try
            {
                for (; step.IsCompleted && step.Result; step = changes.MoveNextAsync()) given.Add(changes.Current);
                return given;
            }
            catch (ChangesLostException lost) when (lost.OldestIndex > oldest && given.Count == 0)
            {
                oldest = lost.OldestIndex;
            }
        }
    }

    private static string Text(ReadOnlyMemory<byte> key) => System.Text.Encoding.Latin1.GetString(key.Span);
}
