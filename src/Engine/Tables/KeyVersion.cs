using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Varve.Format;

namespace Varve.Tables;

/// <summary>
/// One version of a key, in place: an operation in a memtable's segment or a row of a table, without its key. The
/// default value is no version. The memory lives as long as the pin, hold or reference under which the version was
/// found. Sixteen bytes, so that it travels in registers.
/// </summary>
internal readonly struct KeyVersion
{
    private readonly int _length;
    private readonly RecordKind _kind;

    // SAFETY: these members show the value's bytes in a mapped segment or table. Its length was
    // checked with the operation or the block, and the finder's pin, hold or reference keeps the mapping.
    private readonly unsafe byte* _value;

    public unsafe KeyVersion(WalOperationView view)
        : this(view.Kind, view.ValueAddress, view.ValueLength)
    {
    }

    /// <summary>False for the default value: there is no version.</summary>
    public unsafe bool Exists => _value != null;

    public unsafe byte* ValueAddress => _value;

    public unsafe ReadOnlySpan<byte> Value => new(_value, _length);

    /// <summary>Unix milliseconds; 0 unless the version is a leased put.</summary>
    public unsafe ulong Deadline => DeadlineOf(_kind, _value, _length);

    /// <summary>True if both are the same version in the same place.</summary>
    public unsafe bool IsSameAs(in KeyVersion other) => _value == other._value;

    // SAFETY: the caller passes a value inside an operation or a block, with its length.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe KeyVersion(RecordKind kind, byte* value, int length)
    {
        _kind = kind;
        _value = value;
        _length = length;
    }

    public int ValueLength => _length;

    public RecordKind Kind => _kind;

    /// <summary>A leased put has its deadline behind its value, in memtables and tables alike.</summary>
    // SAFETY: eight bytes behind the value of a leased put were checked with its length; nothing else is read.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe ulong DeadlineOf(RecordKind kind, byte* value, int valueLength) =>
        kind == RecordKind.LeasedPut ? Unsafe.ReadUnaligned<ulong>(value + valueLength) : 0;

    /// <summary>Copies the value, or as much of it as fits, and returns its whole length.</summary>
    // SAFETY: the copy is as long as the shorter of value and destination.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe int CopyTo(Span<byte> destination)
    {
        Unsafe.CopyBlockUnaligned(
            ref MemoryMarshal.GetReference(destination), ref *_value, (uint)Math.Min(_length, destination.Length));
        return _length;
    }

    /// <summary>True if the version is a put that has not expired at a time.</summary>
    public bool IsLiveAt(ulong timeMs) => Liveness.IsLive(_kind, Deadline, timeMs);
}
