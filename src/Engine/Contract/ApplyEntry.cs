namespace Varve;

/// <summary>A committed log entry. Refers to the memory of its <see cref="Command"/>.</summary>
/// <param name="Index">Log index, 1 or more.</param>
/// <param name="Term">Term of the entry; never below that of an earlier entry.</param>
/// <param name="Command">The effect of the entry.</param>
/// <param name="TimestampMs">The leader's clock, in Unix milliseconds; 0: none.</param>
public readonly record struct ApplyEntry(ulong Index, ulong Term, Command Command, ulong TimestampMs = 0);
