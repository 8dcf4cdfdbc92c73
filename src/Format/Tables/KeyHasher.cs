using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;

namespace Varve.Format;

/// <summary>
/// The hash of a user key under a secret seed. Memtables and chunks use a seed that never leaves the process; the
/// filters and tags of tables use the one in their footer (<see cref="MachineState.HashSeed"/>), for which the function
/// is frozen.
/// </summary>
/// <remarks>
/// <para><b>The problem.</b> Clients choose keys. A client that can compute keys of one hash makes every structure with
/// that hash linear.</para>
/// <para><b>The obvious design</b>, XXH3 with a seed, has two weaknesses (docs/decisions/0025-seeded-key-hash.md):
/// above 240 bytes it multiplies 32 bits by 32 under keys that differ by public constants, so that chosen pairs of keys
/// collide under one seed in some thousands; and one sum keys both factors.</para>
/// <para><b>Here</b> two independent 64-bit secrets are derived from the seed, and every 16 bytes of key go through a
/// multiplication of 64 by 64 bits, folded, in which each factor is masked with a secret: the first of the two words
/// with the first secret, the other with the state, which begins as the second secret. No choice of key fixes a factor
/// for an unknown seed.</para>
/// </remarks>
internal readonly struct KeyHasher
{
    private const ulong Golden = 0x9E3779B97F4A7C15;
    private const ulong Multiplier = 0x165667919E3779F9;
    private const int WordBytes = sizeof(ulong);
    private const int StepBytes = 2 * WordBytes;

    private readonly ulong _first;
    private readonly ulong _last;

    /// <summary>The function of a seed.</summary>
    public KeyHasher(ulong seed)
    {
        _first = Mixed(seed + Golden);
        _last = Mixed(seed + unchecked(2 * Golden));
    }

    /// <summary>A random seed.</summary>
    public static ulong NewSeed() =>
        BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong)));

    /// <summary>The hash of a key of one byte at least.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Of(ReadOnlySpan<byte> key) =>
        (uint)(key.Length - WordBytes) <= WordBytes ? OfEightToSixteen(key) : OfAnyLength(key);

    /// <summary>The usual length, apart so that a read inlines it whole.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong OfEightToSixteen(ReadOnlySpan<byte> key)
    {
        ref byte start = ref MemoryMarshal.GetReference(key);
        return Finish(Word(ref start, 0), Word(ref start, key.Length - WordBytes), _last, key.Length);
    }

    private ulong OfAnyLength(ReadOnlySpan<byte> key)
    {
        ref byte start = ref MemoryMarshal.GetReference(key);
        if (key.Length < sizeof(uint))
            return Finish(
                key.IsEmpty ? 0 : (uint)key[0] | (uint)key[key.Length >> 1] << 8 | (uint)key[^1] << 16, 0, _last,
                key.Length);
        if (key.Length < WordBytes)
            return Finish(
                BinaryPrimitives.ReadUInt32LittleEndian(key),
                BinaryPrimitives.ReadUInt32LittleEndian(key[^sizeof(uint)..]), _last, key.Length);
        var state = _last;
        var at = 0;
        for (; at < key.Length - StepBytes; at += StepBytes)
            state = Fold(Word(ref start, at) ^ _first, Word(ref start, at + WordBytes) ^ state);
        return Finish(
            Word(ref start, key.Length - StepBytes), Word(ref start, key.Length - WordBytes), state, key.Length);
    }

    /// <summary>Takes in the last two words and spreads the result over all bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Finish(ulong first, ulong last, ulong state, int length)
    {
        first ^= _first;
        last ^= state;
        var hash = (ulong)length + BinaryPrimitives.ReverseEndianness(first) + last + Fold(first, last);
        hash = (hash ^ hash >> 37) * Multiplier;
        return hash ^ hash >> 32;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Word(ref byte start, int at)
    {
        var value = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, at));
        return BitConverter.IsLittleEndian ? value : BinaryPrimitives.ReverseEndianness(value);
    }

    /// <summary>The two halves of a product, one upon the other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong a, ulong b) =>
        a * b ^ (Bmi2.X64.IsSupported ? Bmi2.X64.MultiplyNoFlags(a, b) : Math.BigMul(a, b, out _));

    /// <summary>SplitMix64's output function.</summary>
    private static ulong Mixed(ulong value)
    {
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9;
        value = (value ^ value >> 27) * 0x94D049BB133111EB;
        return value ^ value >> 31;
    }
}
