namespace Varve.Changes;

/// <summary>A change where it stands in the log.</summary>
internal readonly ref struct ChangeView(
    ulong index, ulong term, ChangeKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
{
    public readonly ulong Index = index;
    public readonly ReadOnlySpan<byte> Key = key;
    private readonly ulong _term = term;
    private readonly ChangeKind _kind = kind;
    private readonly ReadOnlySpan<byte> _value = value;

    /// <summary>Bytes of key and value.</summary>
    public int Bytes => Key.Length + _value.Length;

    /// <summary>A copy that stays valid.</summary>
    public Change Copy() => new(Index, _term, _kind, Key.ToArray(), _value.ToArray());
}
