namespace Varve.Compaction;

/// <summary>The neighbouring runs to compact into one.</summary>
/// <param name="First">Index of the newest input; runs are numbered from the newest.</param>
/// <param name="Count">The number of inputs.</param>
/// <param name="Kind">The way in which they become one.</param>
internal readonly record struct CompactionChoice(int First, int Count, CompactionKind Kind)
{
    public static CompactionChoice None => default;
}
