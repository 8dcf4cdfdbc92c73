using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Varve.Format;

namespace Varve.Tables;

/// <summary>
/// A version of a key where it stands; the default is none. The memory lives as long as the pin or reference under
/// which it was found. Sixteen bytes, so that it travels in registers.
/// </summary>
internal readonly unsafe struct KeyVersion
{
    private readonly byte* _value;
    private readonly int _length;
    private readonly RecordKind _kind;

    public KeyVersion(WalOperationView view)
    {
        _value = view.Start + WalOperation.HeaderSize + view.KeyLength;
        _length = view.ValueLength;
        _kind = view.Kind;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public KeyVersion(TableRow row)
    {
        _value = row.ValueAddress;
        _length = row.ValueLength;
        _kind = row.Kind;
    }

    public bool Exists => _value != null;

    public RecordKind Kind => _kind;

    /// <summary>
    /// Unix milliseconds; 0 unless it is a leased put, whose value it follows in memtables and tables alike.
    /// </summary>
    public ulong Deadline => _kind == RecordKind.LeasedPut ? Unsafe.ReadUnaligned<ulong>(_value + _length) : 0;

    /// <summary>Whether two are the same version in the same place.</summary>
    public bool IsSameAs(in KeyVersion other) => _value == other._value;

    public ReadOnlySpan<byte> Value => new(_value, _length);

    /// <summary>Copies the value, or as much of it as fits, and answers its whole length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int CopyTo(Span<byte> destination)
    {
        Unsafe.CopyBlockUnaligned(
            ref MemoryMarshal.GetReference(destination), ref *_value, (uint)Math.Min(_length, destination.Length));
        return _length;
    }

    /// <summary>True when it is a value that has not expired at a time.</summary>
    public bool IsLiveAt(ulong timeMs) => Liveness.IsLive(_kind, Deadline, timeMs);
}

/// <summary>The one rule of what is there: a put, until its deadline is reached.</summary>
internal static class Liveness
{
    public static bool IsLive(RecordKind kind, ulong deadline, ulong timeMs) =>
        kind == RecordKind.Put || (kind == RecordKind.LeasedPut && timeMs < deadline);
}
