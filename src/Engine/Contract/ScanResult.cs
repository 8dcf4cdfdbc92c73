namespace Varve;

/// <summary>The result of a scan.</summary>
/// <param name="Entries">Live entries in key order, in memory that the receiver owns.</param>
/// <param name="Revision">Applied index of the state that was read.</param>
public sealed record ScanResult(IReadOnlyList<KeyValueEntry> Entries, ulong Revision);
