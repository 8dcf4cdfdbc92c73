namespace Varve;

/// <summary>The position of an entry in the Raft log.</summary>
/// <param name="Index">Index of the entry; 0 precedes the first entry.</param>
/// <param name="Term">Term in which a leader created the entry; 0 at index 0.</param>
public readonly record struct LogId(ulong Index, ulong Term);
