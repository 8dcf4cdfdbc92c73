using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Varve.Format;

/// <summary>
/// The bytes of a <see cref="MachineState"/>, alone or inside a version edit or a snapshot manifest.
/// <code>
///   0  u16  version           1
///   2  u8   flags             bit 0: a snapshot follows; bit 1: a mark follows; the others are zero
///   3  u64  last index
///  11  u64  last term
///  19  u64  log time          Unix milliseconds, as the three after it but one
///  27  u64  local time
///  35  u64  live count        0 .. 2^63 - 1
///  43  u64  counted time
///  51  u64  cleaned time
///  59  u64  hash seed
///  67  u8   lease clock       StoredLeaseClock
///  68  u32  term runs, each:  u64 first index, u64 term
///      u32  outcome runs, each: u64 first index, u32 count, ceil(count / 8) bytes of bits;
///                              with bit 31 of the count: as many bytes of bits of refused entries
///      with flag bit 0: u64 snapshot index, u64 snapshot term, 32 bytes of checksum
///      with flag bit 1: u8 length, 1 .. 64, and the bytes of the mark
/// </code>
/// Term runs ascend by first index, none above the last index; known terms never decrease and none is above the last
/// term. Outcome runs ascend, do not overlap, do not reach past the last index, and their unused bits are zero. All
/// integers are little endian.
/// </summary>
internal static class MachineStateCodec
{
    public const ushort Version = 1;

    public const int ChecksumSize = 32;

    private const byte HasSnapshot = 1;
    private const byte HasMark = 2;
    private const uint HasRefused = 1U << 31;
    private const int TermRunSize = 16;
    private const int OutcomeRunSizeMin = 8 + 4 + 1;
    private const int OutcomeRunMemory = 64; // an element of the array and an array of its own, beside its bits

    public static byte[] Encode(MachineState state)
    {
        var buffer = new ArrayBufferWriter<byte>();
        Encode(buffer, state);
        return buffer.WrittenSpan.ToArray();
    }

    /// <exception cref="ArgumentException">The record breaks one of its own rules, so that no reader would take
    /// it.</exception>
    public static void Encode(IBufferWriter<byte> destination, MachineState state)
    {
        if (Fault(state) is { } fault) throw new ArgumentException(fault.ToString(), nameof(state));
        var writer = new FieldWriter(destination);
        writer.U16(Version);
        writer.U8((byte)((state.Snapshot is null ? 0 : HasSnapshot) | (state.Mark.IsEmpty ? 0 : HasMark)));
        writer.U64(state.LastIndex);
        writer.U64(state.LastTerm);
        writer.U64(state.LogTimeMs);
        writer.U64(state.LocalTimeMs);
        writer.U64((ulong)state.LiveCount);
        writer.U64(state.CountedTimeMs);
        writer.U64(state.CleanedTimeMs);
        writer.U64(state.HashSeed);
        writer.U8((byte)state.LeaseClock);
        writer.U32((uint)state.Terms.Length);
        foreach (var run in state.Terms)
        {
            writer.U64(run.FirstIndex);
            writer.U64(run.Term);
        }

        writer.U32((uint)state.Outcomes.Length);
        foreach (var run in state.Outcomes)
        {
            writer.U64(run.FirstIndex);
            writer.U32(run.Refused is null ? (uint)run.Count : (uint)run.Count | HasRefused);
            writer.Bytes(run.Bits);
            if (run.Refused is not null) writer.Bytes(run.Refused);
        }

        if (state.Snapshot is { } snapshot)
        {
            writer.U64(snapshot.Index);
            writer.U64(snapshot.Term);
            writer.Bytes(snapshot.Checksum);
        }

        var mark = state.Mark;
        if (mark.IsEmpty) return;
        writer.U8((byte)mark.Length);
        writer.Bytes(mark.Bytes);
    }

    public static bool TryDecode(
        ReadOnlySpan<byte> source, [NotNullWhen(true)] out MachineState? state, out DecodeError error)
    {
        var reader = new FieldReader(source);
        state = Read(ref reader);
        reader.End("machine state");
        error = reader.Error;
        if (reader.Failed) state = null;
        return state is not null;
    }

    /// <summary>Reads one state out of a larger record; null when the reader failed.</summary>
    public static MachineState? Read(ref FieldReader reader)
    {
        var start = reader.Position;
        reader.Version(Version, "machine state");
        var flags = reader.Flags(HasSnapshot | HasMark, "machine state");
        var state = new MachineState
        {
            LastIndex = reader.U64("last index"),
            LastTerm = reader.U64("last term"),
            LogTimeMs = reader.U64("log time"),
            LocalTimeMs = reader.U64("local time"),
            LiveCount = reader.I63("live count"),
            CountedTimeMs = reader.U64("counted time"),
            CleanedTimeMs = reader.U64("cleaned time"),
            HashSeed = reader.U64("hash seed"),
            LeaseClock = ReadLeaseClock(ref reader),
            Terms = ReadTerms(ref reader),
            Outcomes = ReadOutcomes(ref reader),
            Snapshot = (flags & HasSnapshot) == 0 ? null : ReadSnapshot(ref reader),
            Mark = (flags & HasMark) == 0 ? default : ReadMark(ref reader),
        };
        if (reader.Failed) return null;
        if (Fault(state) is not { } fault) return state;
        reader.Fail(start, fault.Field, fault.Problem);
        return null;
    }

    private static StoredLeaseClock ReadLeaseClock(ref FieldReader reader)
    {
        var clock = (StoredLeaseClock)reader.U8("lease clock");
        if (clock > StoredLeaseClock.Log)
            reader.Unsupported(reader.Position - 1, $"machine state with the lease clock {(byte)clock}");
        return clock;
    }

    private static TermRun[] ReadTerms(ref FieldReader reader)
    {
        var count = reader.Count(TermRunSize, "term run count");
        if (reader.Failed || !reader.Charge(count * (long)TermRunSize)) return [];
        var runs = new TermRun[count];
        foreach (ref var run in runs.AsSpan())
            run = new TermRun(reader.U64("term run index"), reader.U64("term run term"));
        return runs;
    }

    private static OutcomeRun[] ReadOutcomes(ref FieldReader reader)
    {
        var count = reader.Count(OutcomeRunSizeMin, "outcome run count");
        if (reader.Failed || !reader.Charge(count * (long)OutcomeRunMemory)) return [];
        var runs = new OutcomeRun[count];
        foreach (ref var run in runs.AsSpan())
        {
            var first = reader.U64("outcome run index");
            var at = reader.Position;
            var entries = reader.U32("outcome run length");
            var hasRefused = (entries & HasRefused) != 0;
            entries &= ~HasRefused;
            if (entries == 0) reader.Fail(at, "outcome run length", "is out of range");
            var bits = reader.Take((int)(((long)entries + 7) / 8), "outcome bits");
            var refused = hasRefused ? reader.Take(bits.Length, "refused bits") : default;
            if (reader.Failed || !reader.Charge(bits.Length + (hasRefused ? OutcomeRunMemory + refused.Length : 0)))
                return [];
            run =
                new OutcomeRun(first, (int)entries, bits.ToArray()) { Refused = hasRefused ? refused.ToArray() : null };
        }

        return runs;
    }

    private static (ulong Index, ulong Term, byte[] Checksum) ReadSnapshot(ref FieldReader reader) =>
        (
            reader.U64("snapshot index"), reader.U64("snapshot term"),
            reader.Take(ChecksumSize, "snapshot checksum").ToArray());

    private static LogMark ReadMark(ref FieldReader reader)
    {
        var at = reader.Position;
        var length = reader.U8("mark length");
        if (length is 0 or > LogMark.LengthMax) reader.Fail(at, "mark length", "is out of range");
        return reader.Failed ? default : new LogMark(reader.Take(length, "mark"));
    }

    /// <summary>The first rule that the record breaks, or null.</summary>
    private static FieldFault? Fault(MachineState state)
    {
        if (state.LeaseClock > StoredLeaseClock.Log) return new("lease clock", "is unknown");
        if (state.LiveCount < 0) return new("live count", "is negative");
        if (state is { LastIndex: 0, LastTerm: not 0 }) return new("term", "is not 0 at index 0");
        if (state.Snapshot is { } snapshot)
        {
            if (snapshot.Checksum.Length != ChecksumSize) return new("snapshot checksum", "is not 32 bytes");
            if (snapshot.Index > state.LastIndex) return new("snapshot", "is above the last index");
        }

        return TermFault(state) ?? OutcomeFault(state);
    }

    private static FieldFault? TermFault(MachineState state)
    {
        var known = 0UL;
        for (var i = 0; i < state.Terms.Length; i++)
        {
            var run = state.Terms[i];
            if (i > 0 && run.FirstIndex <= state.Terms[i - 1].FirstIndex) return new("term runs", "are not ascending");
            if (run.FirstIndex > state.LastIndex) return new("term run", "begins above the last index");
            if (run.Term == TermRun.Unknown) continue;
            if (run.Term < known) return new("term", "decreases");
            known = run.Term;
        }

        return known > state.LastTerm ? new FieldFault("term", "is above the last term") : null;
    }

    private static FieldFault? OutcomeFault(MachineState state)
    {
        var last = 0UL;
        for (var i = 0; i < state.Outcomes.Length; i++)
        {
            var run = state.Outcomes[i];
            if (run.Count < 1 || run.Bits.LongLength != ((long)run.Count + 7) / 8)
                return new("outcome run", "has not one bit an entry");
            if (i > 0 && run.FirstIndex <= last) return new("outcome runs", "overlap or are out of order");
            if (run.FirstIndex > state.LastIndex || (ulong)(run.Count - 1) > state.LastIndex - run.FirstIndex)
                return new("outcome run", "ends above the last index");
            if ((run.Count & 7) != 0 && run.Bits[^1] >> (run.Count & 7) != 0)
                return new("unused outcome bits", "are set");
            if (run.Refused is { } refused && RefusedFault(run, refused) is { } fault) return fault;
            last = run.FirstIndex + (ulong)(run.Count - 1);
        }

        return null;
    }

    private static FieldFault? RefusedFault(OutcomeRun run, byte[] refused)
    {
        if (refused.Length != run.Bits.Length) return new("outcome run", "has not one bit an entry");
        if ((run.Count & 7) != 0 && refused[^1] >> (run.Count & 7) != 0) return new("unused outcome bits", "are set");
        for (var i = 0; i < refused.Length; i++)
            if ((refused[i] & run.Bits[i]) != 0) return new("refused entry", "has succeeded");
        return refused.AsSpan().ContainsAnyExcept((byte)0) ? null : new FieldFault("refused bits", "are all 0");
    }
}
