namespace Varve;

/// <summary>A key and its value, in memory that the receiver owns.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The value.</param>
public readonly record struct KeyValueEntry(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value);
