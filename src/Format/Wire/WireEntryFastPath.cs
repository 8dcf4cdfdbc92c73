using System.Runtime.CompilerServices;

namespace Varve.Format;

/// <summary>
/// Decodes an <c>Entry</c> in the one form that encoders write: each field once, by ascending number, one-byte tags,
/// one command or no-op. Straight-line, so that the usual entry costs no loop and no dispatch.
/// </summary>
/// <remarks>
/// False says nothing about the bytes but that they are not of that form: <see cref="WireEntryDecoder"/> decides. True
/// must mean the same as there, which tests hold against Google's parser.
/// </remarks>
internal static class WireEntryFastPath
{
    public static bool TryDecode(ReadOnlySpan<byte> chunk, int start, int end, ref WireEntry entry)
    {
        // All reads below are within the entry: what would pass its end is not of the form.
        var bytes = chunk[..end];
        var at = start;
        entry.TtlSeconds = 0;
        entry.TimestampMs = 0;
        entry.ExpectedOffset = 0;
        entry.ExpectedLength = -1;
        if (!Next(bytes, ref at, WireTags.EntryIndex) || !WireVarint.TryRead(bytes, ref at, out entry.Index))
            return false;
        if (!Next(bytes, ref at, WireTags.EntryTerm) || !WireVarint.TryRead(bytes, ref at, out entry.Term))
            return false;
        if (!Next(bytes, ref at, WireTags.EntryPayload) || !Delimited(bytes, ref at, out var payloadEnd)) return false;
        if (Next(bytes, ref at, WireTags.PayloadCommand))
        {
            if (!Delimited(bytes, ref at, out var commandEnd) || commandEnd != payloadEnd) return false;
            if (!TryDecodeCommand(bytes[..commandEnd], ref at, ref entry)) return false;
        }
        else if (Next(bytes, ref at, WireTags.PayloadNoop) && Next(bytes, ref at, 0))
        {
            entry.Kind = CommandKind.Noop;
            entry.KeyOffset = entry.KeyLength = entry.ValueOffset = entry.ValueLength = 0;
        }
        else
        {
            return false;
        }

        if (at != payloadEnd) return false;
        if (Next(bytes, ref at, WireTags.EntryTimestamp) && !WireVarint.TryRead(bytes, ref at, out entry.TimestampMs))
            return false;
        return at == end;
    }

    private static bool TryDecodeCommand(ReadOnlySpan<byte> bytes, ref int at, ref WireEntry entry)
    {
        if ((uint)at >= (uint)bytes.Length) return false;
        var operation = bytes[at++];
        if (!Delimited(bytes, ref at, out var operationEnd) || operationEnd != bytes.Length) return false;
        if (!Field(bytes, ref at, WireTags.OperationKey, out entry.KeyOffset, out entry.KeyLength)) return false;
        switch (operation)
        {
            case WireTags.CommandInsert:
                entry.Kind = CommandKind.Insert;
                if (!Field(bytes, ref at, WireTags.InsertValue, out entry.ValueOffset, out entry.ValueLength))
                    return false;
                return !Next(bytes, ref at, WireTags.InsertTtl)
                    || WireVarint.TryRead(bytes, ref at, out entry.TtlSeconds);
            case WireTags.CommandDelete:
                entry.Kind = CommandKind.Delete;
                entry.ValueOffset = entry.ValueLength = 0;
                return true;
            case WireTags.CommandCompareAndSwap:
                entry.Kind = CommandKind.CompareAndSwap;
                if (Next(bytes, ref at, WireTags.SwapExpected))
                {
                    if (!Delimited(bytes, ref at, out var expectedEnd)) return false;
                    entry.ExpectedOffset = at;
                    entry.ExpectedLength = expectedEnd - at;
                    at = expectedEnd;
                }

                if (!Field(bytes, ref at, WireTags.SwapNewValue, out entry.ValueOffset, out entry.ValueLength))
                    return false;
                return !Next(bytes, ref at, WireTags.SwapTtl)
                    || WireVarint.TryRead(bytes, ref at, out entry.TtlSeconds);
            case WireTags.CommandCompareAndDelete:
                entry.Kind = CommandKind.CompareAndDelete;
                entry.ValueOffset = entry.ValueLength = 0;
                return Field(
                    bytes, ref at, WireTags.DeleteExpected, out entry.ExpectedOffset, out entry.ExpectedLength);
            case WireTags.CommandRenew:
                entry.Kind = CommandKind.Renew;
                entry.ValueOffset = entry.ValueLength = 0;
                return !Next(bytes, ref at, WireTags.RenewTtl)
                    || WireVarint.TryRead(bytes, ref at, out entry.TtlSeconds);
            default:
                return false;
        }
    }

    /// <summary>Takes a byte if it is the next one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Next(ReadOnlySpan<byte> bytes, ref int at, byte expected)
    {
        if ((uint)at >= (uint)bytes.Length || bytes[at] != expected) return false;
        at++;
        return true;
    }

    /// <summary>Takes a length and says where that many bytes end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Delimited(ReadOnlySpan<byte> bytes, ref int at, out int end)
    {
        end = 0;
        if (!WireVarint.TryRead(bytes, ref at, out var length) || length > (uint)(bytes.Length - at)) return false;
        end = at + (int)length;
        return true;
    }

    /// <summary>Takes a bytes field if it is the next one; an absent one is empty.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Field(ReadOnlySpan<byte> bytes, ref int at, byte tag, out int offset, out int length)
    {
        offset = length = 0;
        if (!Next(bytes, ref at, tag)) return true;
        if (!Delimited(bytes, ref at, out var end)) return false;
        offset = at;
        length = end - at;
        at = end;
        return true;
    }
}
