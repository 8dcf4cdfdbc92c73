namespace Varve.Memory;

/// <summary>Compares keys in unsigned byte order.</summary>
internal sealed class KeyComparer : IComparer<byte[]>
{
    public static KeyComparer Instance { get; } = new();

    public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
}
