namespace Varve.Format;

/// <summary>
/// The per-entry columns of a chunk record, which cost nothing where entries are consecutive, of one term and without
/// timestamps.
/// <code>
/// outcomes  entry i at byte i / 8, bit i % 8 (least significant first): whether it succeeded; unused bits zero
/// refused   if flagged: as many bits, set for entries that were refused, of which none succeeded; one at least
/// indexes   if flagged: for each entry but the first, varint of its index less the one before, less 1
/// terms     if flagged: varint of the first entry's term, then for each further one varint of its rise
/// times     if flagged: varint of the log time after the first entry, then for each further one varint of its rise
/// mark      if flagged: u8 length, 0 .. 64, and its bytes
/// zero padding to a multiple of 8
/// </code>
/// Varints are LEB128 of 64 bits.
/// </summary>
internal ref struct ChunkColumns
{
    private readonly ReadOnlySpan<byte> _outcomes;
    private readonly ReadOnlySpan<byte> _refused;
    private readonly ulong _flatTerm;
    private readonly ulong _flatTime;
    private VarintReader _indexes;
    private VarintReader _terms;
    private VarintReader _times;
    private ReadOnlySpan<byte> _mark;
    private int _next;
    private readonly int _count;

    private ChunkColumns(ReadOnlySpan<byte> payload, scoped in WalRecordHeader header)
    {
        _count = header.EntryCount;
        _outcomes = payload[..OutcomesLength(header.EntryCount)];
        if ((header.Flags & ColumnFlags.Refused) != 0) _refused = payload.Slice(_outcomes.Length, _outcomes.Length);
        _flatTerm = header.Term;
        _flatTime = header.LogTimeMs;
        _next = 0;
        Index = header.FirstIndex;
    }

    /// <summary>Index of the current entry.</summary>
    public ulong Index { get; private set; }

    /// <summary>Term of the current entry.</summary>
    public ulong Term { get; private set; }

    /// <summary>Log time after the current entry.</summary>
    public ulong LogTimeMs { get; private set; }

    /// <summary>Outcome of the current entry.</summary>
    public bool Succeeded { get; private set; }

    /// <summary>True if the current entry was refused.</summary>
    public bool Refused { get; private set; }

    /// <summary>The mark that moves with the chunk; false if the chunk leaves it.</summary>
    public readonly bool TryGetMark(out LogMark mark)
    {
        mark = _mark.IsEmpty ? default : new LogMark(_mark[1..]);
        return !_mark.IsEmpty;
    }

    /// <summary>Opens the columns of a verified record; checks their shape to the end.</summary>
    public static bool TryOpen(
        ReadOnlySpan<byte> payload, scoped in WalRecordHeader header, out ChunkColumns columns, out DecodeError error)
    {
        columns = default;
        if (payload.Length < OutcomesLength(header.EntryCount) * ((header.Flags & ColumnFlags.Refused) == 0 ? 1L : 2L))
        {
            error = new DecodeError(WalRecordHeader.Size, "outcomes", "run past their record");
            return false;
        }

        var opened = new ChunkColumns(payload, header);
        var rest = payload[(opened._outcomes.Length + opened._refused.Length)..];
        if (!Split(ref rest, header, ColumnFlags.Indexes, header.EntryCount - 1, out opened._indexes)
            || !Split(ref rest, header, ColumnFlags.Terms, header.EntryCount, out opened._terms)
            || !Split(ref rest, header, ColumnFlags.Times, header.EntryCount, out opened._times))
        {
            error = new DecodeError(WalRecordHeader.Size, "column", "runs past its record");
            return false;
        }

        if ((header.Flags & ColumnFlags.Mark) != 0)
        {
            if (rest.IsEmpty || rest[0] > LogMark.LengthMax || rest.Length <= rest[0])
            {
                error = new DecodeError(
                    WalRecordHeader.Size, "mark", "runs past its record, or is longer than 64 bytes");
                return false;
            }

            opened._mark = rest[..(1 + rest[0])];
            rest = rest[opened._mark.Length..];
        }

        var check = opened;
        ulong index = 0, term = 0, time = 0;
        while (check.MoveNext())
        {
            // The columns are rises: a huge one wraps, and would take the entries back.
            if (check._next > 1 && check.Index <= index || check.Term < term || check.LogTimeMs < time)
            {
                error = new DecodeError(WalRecordHeader.Size, "entries", "are out of order");
                return false;
            }

            (index, term, time) = (check.Index, check.Term, check.LogTimeMs);
        }

        if (check.Index != header.LastIndex || check.Term != header.Term || check.LogTimeMs != header.LogTimeMs
            || rest.Length > 7)
        {
            error = new DecodeError(WalRecordHeader.Size, "columns", "do not end where the header says");
            return false;
        }

        if (rest.ContainsAnyExcept((byte)0) || !opened.EndsItsOutcomes())
        {
            error = new DecodeError(WalRecordHeader.Size, "padding", "is not zero");
            return false;
        }

        if ((header.Flags & ColumnFlags.Refused) != 0 && !opened.RefusesSome())
        {
            error = new DecodeError(WalRecordHeader.Size, "refused entries", "of which none succeeded");
            return false;
        }

        columns = opened;
        error = default;
        return true;
    }

    /// <summary>Steps to the next entry.</summary>
    public bool MoveNext()
    {
        if (_next == _count) return false;
        if (_next > 0) Index += 1 + _indexes.ReadOr(0);
        Term = _terms.IsPresent ? Term + _terms.ReadOr(0) : _flatTerm;
        LogTimeMs = _times.IsPresent ? LogTimeMs + _times.ReadOr(0) : _flatTime;
        Succeeded = (_outcomes[_next >> 3] >> (_next & 7) & 1) != 0;
        Refused = !_refused.IsEmpty && (_refused[_next >> 3] >> (_next & 7) & 1) != 0;
        _next++;
        return true;
    }

    private readonly bool RefusesSome()
    {
        if ((_count & 7) != 0 && _refused[^1] >> (_count & 7) != 0) return false;
        for (var i = 0; i < _refused.Length; i++)
            if ((_refused[i] & _outcomes[i]) != 0) return false;
        return _refused.ContainsAnyExcept((byte)0);
    }

    private readonly bool EndsItsOutcomes() => (_count & 7) == 0 || _outcomes[^1] >> (_count & 7) == 0;

    private static int OutcomesLength(int count) => (int)(((uint)count + 7) / 8);

    private static bool Split(
        scoped ref ReadOnlySpan<byte> rest, scoped in WalRecordHeader header, ColumnFlags flag, int count,
        out VarintReader column)
    {
        column = default;
        if ((header.Flags & flag) == 0) return true;
        var end = 0;
        for (var i = 0; i < count; i++)
        {
            var length = 1;
            while (end < rest.Length && rest[end] >= 0x80 && length < 10)
            {
                end++;
                length++;
            }

            if (end >= rest.Length || rest[end] >= 0x80) return false;
            end++;
        }

        column = new VarintReader(rest[..end]);
        rest = rest[end..];
        return true;
    }

    private ref struct VarintReader(ReadOnlySpan<byte> source)
    {
        private ReadOnlySpan<byte> _source = source;

        public readonly bool IsPresent { get; } = true;

        public ulong ReadOr(ulong absent)
        {
            if (!IsPresent) return absent;
            ulong value = 0;
            for (var shift = 0; ; shift += 7)
            {
                var b = _source[0];
                _source = _source[1..];
                value |= (ulong)(b & 0x7F) << shift;
                if (b < 0x80) return value;
            }
        }
    }
}
