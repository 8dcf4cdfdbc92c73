using FASTER.core;

namespace Varve.Bench.Peers.Engines;

/// <summary>Where a read copies its value to, or what it saw of a value that it read in place.</summary>
internal unsafe struct FasterValue
{
    /// <summary>Null: the value is read in place.</summary>
    public byte* Destination;

    public int Length;

    public ulong Seen;
}

/// <summary>FASTER's callbacks: values are copied in whole and out whole.</summary>
internal readonly unsafe struct FasterFunctions : IFunctions<SpanByte, SpanByte, Empty, FasterValue, Empty>
{
    public bool SingleReader(
        ref SpanByte key, ref Empty input, ref SpanByte value, ref FasterValue output, ref ReadInfo info) =>
        Read(ref value, ref output);

    public bool ConcurrentReader(
        ref SpanByte key, ref Empty input, ref SpanByte value, ref FasterValue output, ref ReadInfo info) =>
        Read(ref value, ref output);

    public bool SingleWriter(
        ref SpanByte key, ref Empty input, ref SpanByte from, ref SpanByte to, ref FasterValue output,
        ref UpsertInfo info, WriteReason reason)
    {
        from.CopyTo(ref to);
        return true;
    }

    /// <summary>Another length is written as a new record.</summary>
    public bool ConcurrentWriter(
        ref SpanByte key, ref Empty input, ref SpanByte from, ref SpanByte to, ref FasterValue output,
        ref UpsertInfo info)
    {
        if (from.Length != to.Length) return false;
        from.CopyTo(ref to);
        return true;
    }

    public bool SingleDeleter(ref SpanByte key, ref SpanByte value, ref DeleteInfo info) => true;

    public bool ConcurrentDeleter(ref SpanByte key, ref SpanByte value, ref DeleteInfo info) => true;

    public bool NeedInitialUpdate(ref SpanByte key, ref Empty input, ref FasterValue output, ref RMWInfo info) =>
        throw NoUpdates();

    public bool InitialUpdater(
        ref SpanByte key, ref Empty input, ref SpanByte value, ref FasterValue output, ref RMWInfo info) =>
        throw NoUpdates();

    public bool NeedCopyUpdate(
        ref SpanByte key, ref Empty input, ref SpanByte value, ref FasterValue output, ref RMWInfo info) =>
        throw NoUpdates();

    public bool CopyUpdater(
        ref SpanByte key, ref Empty input, ref SpanByte from, ref SpanByte to, ref FasterValue output,
        ref RMWInfo info) => throw NoUpdates();

    public bool InPlaceUpdater(
        ref SpanByte key, ref Empty input, ref SpanByte value, ref FasterValue output, ref RMWInfo info) =>
        throw NoUpdates();

    public void PostSingleWriter(
        ref SpanByte key, ref Empty input, ref SpanByte from, ref SpanByte to, ref FasterValue output,
        ref UpsertInfo info, WriteReason reason)
    { }

    public void PostInitialUpdater(
        ref SpanByte key, ref Empty input, ref SpanByte value, ref FasterValue output, ref RMWInfo info)
    { }

    public void PostCopyUpdater(
        ref SpanByte key, ref Empty input, ref SpanByte from, ref SpanByte to, ref FasterValue output,
        ref RMWInfo info)
    { }

    public void PostSingleDeleter(ref SpanByte key, ref DeleteInfo info) { }

    public void DisposeSingleWriter(
        ref SpanByte key, ref Empty input, ref SpanByte from, ref SpanByte to, ref FasterValue output,
        ref UpsertInfo info, WriteReason reason)
    { }

    public void DisposeCopyUpdater(
        ref SpanByte key, ref Empty input, ref SpanByte from, ref SpanByte to, ref FasterValue output,
        ref RMWInfo info)
    { }

    public void DisposeInitialUpdater(
        ref SpanByte key, ref Empty input, ref SpanByte value, ref FasterValue output, ref RMWInfo info)
    { }

    public void DisposeSingleDeleter(ref SpanByte key, ref SpanByte value, ref DeleteInfo info) { }

    public void DisposeDeserializedFromDisk(ref SpanByte key, ref SpanByte value) { }

    public void ReadCompletionCallback(
        ref SpanByte key, ref Empty input, ref FasterValue output, Empty context, Status status,
        RecordMetadata metadata)
    { }

    public void RMWCompletionCallback(
        ref SpanByte key, ref Empty input, ref FasterValue output, Empty context, Status status,
        RecordMetadata metadata)
    { }

    public void CheckpointCompletionCallback(int session, string name, CommitPoint commit) { }

    private static bool Read(ref SpanByte value, ref FasterValue output)
    {
        var bytes = value.AsReadOnlySpan();
        if (output.Destination != null) bytes.CopyTo(new Span<byte>(output.Destination, bytes.Length));
        else Visit.Value(ref output.Seen, bytes);
        output.Length = bytes.Length;
        return true;
    }

    private static NotSupportedException NoUpdates() => new("nothing here updates a value from its old one");
}
