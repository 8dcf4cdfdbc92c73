using System.Text.Unicode;

namespace Varve.Format;

/// <summary>
/// Walks the fields of protobuf messages in any legal encoding, with the accepting and rejecting of Google's C# parser.
/// The first fault sticks and ends every loop over <see cref="TryReadTag"/>; nothing is thrown or allocated.
/// </summary>
/// <remarks>
/// A tag is <c>field number &lt;&lt; 3 | wire type</c>; a known field with another wire type is simply another tag,
/// hence an unknown field. Nested messages and groups count toward one depth limit.
/// </remarks>
internal ref struct WireCursor(ReadOnlySpan<byte> bytes, int position, int limit)
{
    /// <summary>The deepest nesting of messages and groups, as in Google's parsers.</summary>
    public const int DepthMax = 100;

    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int Delimited = 2;
    private const int GroupStart = 3;
    private const int GroupEnd = 4;
    private const int Fixed32 = 5;

    private ReadOnlySpan<byte> _bytes = bytes[..limit];
    private readonly ReadOnlySpan<byte> _all = bytes;
    private int _position = position;
    private int _depth;

    /// <summary>Offset of the next byte, from the start of the whole.</summary>
    public readonly int Position => _position;

    /// <summary>The first fault; see <see cref="HasFault"/>.</summary>
    public FieldFault Fault { get; private set; }

    public readonly bool HasFault => Fault.Field is not null;

    /// <summary>The next field's tag; false at the end of the message, or after a fault.</summary>
    public bool TryReadTag(out uint tag)
    {
        tag = 0;
        if (HasFault || _position == _bytes.Length) return false;
        if (!TryReadVarint(out var value)) return false;
        tag = (uint)value;
        if (tag >> 3 == 0) return Fail("protobuf tag", "has field number 0");
        return (tag & 7) != GroupEnd || Fail("protobuf group", "ends without a start");
    }

    public bool TryReadVarint(out ulong value) =>
        WireVarint.TryRead(_bytes, ref _position, out value)
        || Fail("protobuf varint", "is cut off or longer than ten bytes");

    /// <summary>A length-delimited field: where it stands; the cursor is after it.</summary>
    public bool TryReadBytes(out int offset, out int length)
    {
        offset = length = 0;
        if (!TryReadVarint(out var value)) return false;
        if ((uint)value > (uint)(_bytes.Length - _position)) return Fail("protobuf field", "runs past its message");
        offset = _position;
        length = (int)(uint)value;
        _position += length;
        return true;
    }

    /// <summary>A length-delimited field that has to be valid UTF-8.</summary>
    public bool TryReadString()
    {
        if (!TryReadBytes(out var offset, out var length)) return false;
        return Utf8.IsValid(_all.Slice(offset, length)) || Fail("string", "is not valid UTF-8");
    }

    /// <summary>
    /// Goes into a nested message, whose end is the end until <see cref="Leave"/> with <paramref name="outerLimit"/>.
    /// </summary>
    public bool TryEnter(out int outerLimit)
    {
        outerLimit = _bytes.Length;
        if (!TryReadBytes(out var offset, out var length)) return false;
        _bytes = _all[..(offset + length)];
        _position = offset;
        _depth++;
        return true;
    }

    public void Leave(int outerLimit)
    {
        _bytes = _all[..outerLimit];
        _depth--;
    }

    /// <summary>Passes over the value of an unknown field.</summary>
    public bool Skip(uint tag)
    {
        switch (tag & 7)
        {
            case Varint: return TryReadVarint(out _);
            case Fixed64: return SkipFixed(sizeof(ulong));
            case Delimited: return TryReadBytes(out _, out _);
            case GroupStart: return SkipGroup(tag);
            case Fixed32: return SkipFixed(sizeof(uint));
            default: return Fail("protobuf wire type", "is unknown");
        }
    }

    /// <summary>Passes over a nested message of which no field matters, checking that it is one.</summary>
    public bool SkipMessage()
    {
        if (!TryEnter(out var outerLimit)) return false;
        while (TryReadTag(out var tag)) Skip(tag);
        Leave(outerLimit);
        return !HasFault;
    }

    public bool Fail(string field, string problem)
    {
        if (!HasFault) Fault = new FieldFault(field, problem);
        return false;
    }

    private bool SkipFixed(int size)
    {
        if (_bytes.Length - _position < size) return Fail("protobuf field", "runs past its message");
        _position += size;
        return true;
    }

    /// <summary>
    /// A group ends at its own end tag, inside the message that it began in. The depth limit bounds the recursion.
    /// </summary>
    private bool SkipGroup(uint startTag)
    {
        if (_depth >= DepthMax) return Fail("protobuf nesting", "is too deep");
        _depth++;
        while (true)
        {
            if (!TryReadVarint(out var value)) return false;
            var tag = (uint)value;
            if (tag >> 3 == 0) return Fail("protobuf tag", "has field number 0");
            if ((tag & 7) == GroupEnd)
            {
                if (tag >> 3 != startTag >> 3)
                    return Fail("protobuf group end", "has another field number than its start");
                _depth--;
                return true;
            }

            if (!Skip(tag)) return false;
        }
    }
}
