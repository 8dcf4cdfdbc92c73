namespace Varve;

/// <summary>stub</summary>
public ref struct ReadView
{
    /// <summary>stub</summary>
    public ulong Revision => throw new NotImplementedException();
    /// <summary>stub</summary>
    public bool TryGet(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public ScanEnumerator ScanPrefix(ReadOnlySpan<byte> prefix) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public ScanEnumerator ScanRange(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) => throw new NotImplementedException();
    /// <summary>stub</summary>
    public void Dispose() { }
}

/// <summary>stub</summary>
public ref struct ScanEnumerator
{
    /// <summary>stub</summary>
    public bool MoveNext() => throw new NotImplementedException();
    /// <summary>stub</summary>
    public EntryView Current => throw new NotImplementedException();
    /// <summary>stub</summary>
    public ScanEnumerator Reversed() => throw new NotImplementedException();
    /// <summary>stub</summary>
    public ScanEnumerator GetEnumerator() => this;
}

/// <summary>stub</summary>
public readonly ref struct EntryView
{
    /// <summary>stub</summary>
    public ReadOnlySpan<byte> Key => throw new NotImplementedException();
    /// <summary>stub</summary>
    public ReadOnlySpan<byte> Value => throw new NotImplementedException();
}
