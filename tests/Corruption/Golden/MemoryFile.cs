using Varve.Storage;

namespace Varve.Tests.Corruption.Golden;

/// <summary>An open file of a <see cref="MemoryDisk"/>.</summary>
internal sealed class MemoryFile : IStorageFile
{
    private readonly MemoryNode _node;

    public MemoryFile(string path, MemoryNode node)
    {
        _node = node;
        Path = path;
        node.Use();
    }

    public string Path { get; }

    public long Length => _node.Length;

    public void Read(long offset, Span<byte> destination)
    {
        if (offset + destination.Length > _node.Length) throw new EndOfStreamException($"{Path}: the file ends early");
        _node.Span.Slice((int)offset, destination.Length).CopyTo(destination);
    }

    public void Write(long offset, ReadOnlySpan<byte> source)
    {
        _node.Grow(offset + source.Length);
        source.CopyTo(_node.Span[(int)offset..]);
    }

    public void Allocate(long length) => _node.Grow(length);

    public void Sync() { }

    public IMapping Map(long length, MappingAccess access) =>
        length <= _node.Length
            ? new MemoryMapping(_node, length)
            : throw new IOException($"{Path}: mapped beyond its end");

    public void Dispose() => _node.Leave();
}

/// <summary>The file's own memory.</summary>
internal sealed unsafe class MemoryMapping : IMapping
{
    private readonly MemoryNode _node;

    public MemoryMapping(MemoryNode node, long length)
    {
        _node = node;
        Length = length;
        node.Map();
    }

    public byte* Address => _node.Address;

    public long Length { get; }

    public void Dirtied(long offset, long length) { }

    public void Sync(long offset, long length) { }

    public void Populate(long offset, long length) { }

    public bool IsResident(long offset, long length) => true;

    public void Dispose() => _node.Unmap();
}
