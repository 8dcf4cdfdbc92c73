using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Varve.Format;

/// <summary>Field access to an operation in place, for the memtable and its readers.</summary>
/// <remarks>
/// The operation is valid: this process wrote or verified its record. The host is little endian, as every open checks.
/// </remarks>
internal readonly struct WalOperationView
{
    // SAFETY: these members read one operation of a mapped segment. Its reader keeps the segment mapped by a pin, a
    // hold or a reference, and the operation's lengths were checked against its record: header, key, value and deadline
    // lie within it.
    private readonly unsafe byte* _start;

    public unsafe WalOperationView(byte* start) => _start = start;

    public unsafe byte* Start => _start;

    public unsafe byte* KeyAddress => _start + WalOperation.HeaderSize;

    public unsafe byte* ValueAddress => _start + WalOperation.HeaderSize + KeyLength;

    public unsafe ulong Index => Unsafe.ReadUnaligned<ulong>(_start + WalOperation.IndexField);

    public unsafe OperationRef Prior => Unsafe.ReadUnaligned<OperationRef>(_start + WalOperation.PriorField);

    public unsafe int ValueLength => Unsafe.ReadUnaligned<int>(_start + WalOperation.ValueLengthField);

    public unsafe int KeyLength => Unsafe.ReadUnaligned<ushort>(_start + WalOperation.KeyLengthField);

    public unsafe RecordKind Kind => (RecordKind)_start[WalOperation.KindField];

    public unsafe ReadOnlySpan<byte> Key => MemoryMarshal.CreateReadOnlySpan(ref *KeyAddress, KeyLength);

    public unsafe ReadOnlySpan<byte> Value => MemoryMarshal.CreateReadOnlySpan(ref *ValueAddress, ValueLength);

    /// <summary>Unix milliseconds; 0 unless it is a leased put.</summary>
    public unsafe ulong Deadline =>
        Kind == RecordKind.LeasedPut ? Unsafe.ReadUnaligned<ulong>(ValueAddress + ValueLength) : 0;

    /// <summary>True if the operation is a put that has not expired at a time.</summary>
    public bool IsLiveAt(ulong timeMs) => Liveness.IsLive(Kind, Deadline, timeMs);
}
