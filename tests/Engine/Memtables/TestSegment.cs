using System.Runtime.InteropServices;
using Varve.Format;
using Varve.Memtables;
using Xunit;

namespace Varve.Tests.Engine.Memtables;

/// <summary>A segment in native memory, the operations put in it one by one, and their index.</summary>
internal sealed unsafe class TestSegment : IDisposable
{
    private const int HeaderSize = 64;

    private readonly byte* _bytes;
    private readonly long _size;
    private long _end = HeaderSize;

    public TestSegment(long size)
    {
        _size = size;
        _bytes = (byte*)NativeMemory.AllocZeroed((nuint)size);
        Index = new MemtableIndex(_bytes, new IndexMemory(size));
    }

    public MemtableIndex Index { get; }

    public bool HasRoom(int keyLength) => _end + WalOperation.SizeOf(keyLength, sizeof(ulong), RecordKind.Put) <= _size;

    /// <summary>Writes an operation whose value repeats its index; does not insert it.</summary>
    public OperationRef Write(ReadOnlySpan<byte> key, ulong index, OperationRef prior)
    {
        Span<byte> value = stackalloc byte[sizeof(ulong)];
        BitConverter.TryWriteBytes(value, index);
        var reference = OperationRef.FromOffset(_end);
        _end += WalOperation.Write(
            new Span<byte>(_bytes + _end, (int)(_size - _end)), index, prior, RecordKind.Put, key, value, 0);
        return reference;
    }

    /// <summary>Writes and inserts a version of a key.</summary>
    public OperationRef Put(ReadOnlySpan<byte> key, ulong index)
    {
        var hash = TestHash.Of(key);
        var reference = Write(key, index, Index.Find(key, hash));
        Index.Insert(reference, hash);
        return reference;
    }

    /// <summary>Writes versions of several keys and inserts them as one chunk.</summary>
    public void PutChunk(IReadOnlyList<byte[]> keys, ulong firstIndex)
    {
        var references = new OperationRef[keys.Count];
        for (var i = 0; i < keys.Count; i++)
        {
            var hash = TestHash.Of(keys[i]);
            references[i] = Write(keys[i], firstIndex + (ulong)i, Index.Find(keys[i], hash));
            Index.InsertExact(references[i], hash);
        }

        Index.InsertOrdered(references);
    }

    /// <summary>
    /// Writes versions of keys and builds the empty index from all of them, a number of rows at a time.
    /// </summary>
    public void Build(IReadOnlyList<byte[]> keys, ulong firstIndex, int enteredAtOnce)
    {
        var newest = new Dictionary<string, OperationRef>();
        using var build = new IndexBuild(Index, TestHash.Hasher);
        for (var i = 0; i < keys.Count; i++)
        {
            var reference = Write(
                keys[i], firstIndex + (ulong)i, newest.GetValueOrDefault(Convert.ToHexString(keys[i])));
            newest[Convert.ToHexString(keys[i])] = reference;
            build.Add(reference);
            if ((i + 1) % enteredAtOnce == 0) Assert.Equal(default, build.Enter());
        }

        Assert.Equal(default, build.Enter());
        build.Finish();
    }

    public ReadOnlySpan<byte> KeyAt(OperationRef reference) => Index.OperationAt(reference).Key;

    public ulong IndexAt(OperationRef reference) => Index.OperationAt(reference).Index;

    public void Dispose()
    {
        Index.Memory.Dispose();
        NativeMemory.Free(_bytes);
    }
}
