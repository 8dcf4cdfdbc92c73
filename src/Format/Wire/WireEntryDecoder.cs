namespace Varve.Format;

/// <summary>
/// Decodes one <c>Entry</c> in any legal protobuf encoding: fields in any order, repeated (a number's last value
/// counts, a message's occurrences merge, a new member of a oneof clears the one before), unknown ones between. The
/// rare way; <see cref="WireEntryFastPath"/> takes what every encoder writes.
/// </summary>
/// <remarks>
/// The messages, with the full tags that the constants below name, are drawn in <see cref="ChunkReader"/>.
/// </remarks>
internal static class WireEntryDecoder
{
    private enum Payload
    {
        None,
        Noop,
        Command,
        Config,
    }

    private ref struct EntryFields
    {
        public Payload Payload;
        public int CommandOffset;
        public int CommandLength;
    }

    /// <summary>Decodes the message at <paramref name="start"/> .. <paramref name="end"/> of the chunk.</summary>
    public static bool TryDecode(
        ReadOnlySpan<byte> chunk, int start, int end, ref WireEntry entry, out DecodeError error)
    {
        entry = new WireEntry { ExpectedLength = -1 };
        var fields = default(EntryFields);
        var cursor = new WireCursor(chunk, start, end);
        while (cursor.TryReadTag(out var tag))
        {
            switch (tag)
            {
                case WireTags.EntryIndex: cursor.TryReadVarint(out entry.Index); break;
                case WireTags.EntryTerm: cursor.TryReadVarint(out entry.Term); break;
                case WireTags.EntryTimestamp: cursor.TryReadVarint(out entry.TimestampMs); break;
                case WireTags.EntryPayload: ReadPayload(ref cursor, ref fields); break;
                default: cursor.Skip(tag); break;
            }
        }

        if (!cursor.HasFault && fields.Payload == Payload.None) cursor.Fail("entry", "has no payload");
        if (!cursor.HasFault && fields.Payload == Payload.Command)
        {
            // Only the command that stands at the end is one; what it replaced was just bytes.
            cursor = new WireCursor(chunk, fields.CommandOffset, fields.CommandOffset + fields.CommandLength);
            ReadCommand(ref cursor, ref entry);
        }

        error = cursor.HasFault
            ? new DecodeError(cursor.Position, cursor.Fault.Field, cursor.Fault.Problem)
            : default;
        return !cursor.HasFault;
    }

    /// <summary>Decodes a <c>WriteCommand</c> that stands alone.</summary>
    public static bool TryDecodeCommand(ReadOnlySpan<byte> bytes, out WireEntry entry)
    {
        entry = new WireEntry { ExpectedLength = -1 };
        var cursor = new WireCursor(bytes, 0, bytes.Length);
        ReadCommand(ref cursor, ref entry);
        return !cursor.HasFault;
    }

    private static void ReadPayload(ref WireCursor cursor, ref EntryFields fields)
    {
        if (!cursor.TryEnter(out var outerLimit)) return;
        while (cursor.TryReadTag(out var tag))
        {
            switch (tag)
            {
                case WireTags.PayloadNoop:
                    cursor.SkipMessage();
                    fields.Payload = Payload.Noop;
                    break;
                case WireTags.PayloadCommand:
                    cursor.TryReadBytes(out fields.CommandOffset, out fields.CommandLength);
                    fields.Payload = Payload.Command;
                    break;
                case WireTags.PayloadConfig:
                    ReadMembershipChange(ref cursor);
                    fields.Payload = Payload.Config;
                    break;
                default:
                    cursor.Skip(tag);
                    break;
            }
        }

        cursor.Leave(outerLimit);
    }

    /// <summary>Nothing in a membership change matters here, but it has to be one.</summary>
    private static void ReadMembershipChange(ref WireCursor cursor)
    {
        if (!cursor.TryEnter(out var outerLimit)) return;
        while (cursor.TryReadTag(out var tag))
        {
            switch (tag)
            {
                case WireTags.ChangeAddNode: ReadAddNode(ref cursor); break;
                case WireTags.ChangeRemoveNode: cursor.SkipMessage(); break;
                default: cursor.Skip(tag); break;
            }
        }

        cursor.Leave(outerLimit);
    }

    private static void ReadAddNode(ref WireCursor cursor)
    {
        if (!cursor.TryEnter(out var outerLimit)) return;
        while (cursor.TryReadTag(out var tag))
        {
            if (tag == WireTags.AddNodeAddress) cursor.TryReadString();
            else cursor.Skip(tag);
        }

        cursor.Leave(outerLimit);
    }

    private static void ReadCommand(ref WireCursor cursor, ref WireEntry entry)
    {
        while (cursor.TryReadTag(out var tag))
        {
            switch (tag)
            {
                case WireTags.CommandInsert: ReadOperation(ref cursor, ref entry, CommandKind.Insert); break;
                case WireTags.CommandDelete: ReadOperation(ref cursor, ref entry, CommandKind.Delete); break;
                case WireTags.CommandCompareAndSwap:
                    ReadOperation(ref cursor, ref entry, CommandKind.CompareAndSwap); break;
                case WireTags.CommandCompareAndDelete:
                    ReadOperation(ref cursor, ref entry, CommandKind.CompareAndDelete); break;
                case WireTags.CommandRenew: ReadOperation(ref cursor, ref entry, CommandKind.Renew); break;
                default: cursor.Skip(tag); break;
            }
        }

        if (entry.Kind == CommandKind.Noop) cursor.Fail("command", "has no operation");
    }

    private static void ReadOperation(ref WireCursor cursor, ref WireEntry entry, CommandKind kind)
    {
        if (!cursor.TryEnter(out var outerLimit)) return;
        if (entry.Kind != kind)
            entry = new WireEntry
            {
                Index = entry.Index,
                Term = entry.Term,
                TimestampMs = entry.TimestampMs,
                Kind = kind,
                ExpectedLength = kind == CommandKind.CompareAndDelete ? 0 : -1,
            };
        while (cursor.TryReadTag(out var tag))
        {
            switch (kind, tag)
            {
                case (_, WireTags.OperationKey):
                    cursor.TryReadBytes(out entry.KeyOffset, out entry.KeyLength);
                    break;
                case (CommandKind.Insert, WireTags.InsertValue) or (CommandKind.CompareAndSwap, WireTags.SwapNewValue):
                    cursor.TryReadBytes(out entry.ValueOffset, out entry.ValueLength);
                    break;
                case (CommandKind.Insert, WireTags.InsertTtl) or (CommandKind.CompareAndSwap, WireTags.SwapTtl):
                    cursor.TryReadVarint(out entry.TtlSeconds);
                    break;
                case (CommandKind.Renew, WireTags.RenewTtl):
                    cursor.TryReadVarint(out entry.TtlSeconds);
                    break;
                case (CommandKind.CompareAndSwap, WireTags.SwapExpected)
                    or (CommandKind.CompareAndDelete, WireTags.DeleteExpected):
                    cursor.TryReadBytes(out entry.ExpectedOffset, out entry.ExpectedLength);
                    break;
                default:
                    cursor.Skip(tag);
                    break;
            }
        }

        cursor.Leave(outerLimit);
    }
}
