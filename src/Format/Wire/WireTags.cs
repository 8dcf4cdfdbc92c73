namespace Varve.Format;

/// <summary>
/// The tags (field number &lt;&lt; 3 | wire type) of the messages that <see cref="ChunkReader"/> draws. Frozen:
/// d-engine's, on the wire.
/// </summary>
internal static class WireTags
{
    public const byte EntryIndex = (1 << 3) | 0;
    public const byte EntryTerm = (2 << 3) | 0;
    public const byte EntryPayload = (3 << 3) | 2;
    public const byte EntryTimestamp = (15 << 3) | 0;

    public const byte PayloadNoop = (1 << 3) | 2;
    public const byte PayloadCommand = (2 << 3) | 2;
    public const byte PayloadConfig = (3 << 3) | 2;

    public const byte ChangeAddNode = (1 << 3) | 2;
    public const byte ChangeRemoveNode = (2 << 3) | 2;
    public const byte AddNodeAddress = (2 << 3) | 2;

    public const byte CommandInsert = (1 << 3) | 2;
    public const byte CommandDelete = (2 << 3) | 2;
    public const byte CommandCompareAndSwap = (3 << 3) | 2;

    // This project's extensions, far from d-engine's numbers.
    public const byte CommandCompareAndDelete = (14 << 3) | 2;
    public const byte CommandRenew = (15 << 3) | 2;

    public const byte OperationKey = (1 << 3) | 2;
    public const byte InsertValue = (2 << 3) | 2;
    public const byte InsertTtl = (3 << 3) | 0;
    public const byte SwapExpected = (2 << 3) | 2;
    public const byte SwapNewValue = (3 << 3) | 2;
    public const byte DeleteExpected = (2 << 3) | 2;
    public const byte RenewTtl = (2 << 3) | 0;

    /// <summary>This project's extension, which other decoders skip.</summary>
    public const byte SwapTtl = (15 << 3) | 0;
}
