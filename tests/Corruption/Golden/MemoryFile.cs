using Varve.Storage;

namespace Varve.Tests.Corruption.Golden;

/// <summary>An open file of a <see cref="MemoryDisk"/>.</summary>
internal sealed class MemoryFile : IStorageFile
{
    private readonly MemoryNode node;

    public MemoryFile(string path, MemoryNode node)
    {
        this.node = node;
        Path = path;
        node.Use();
    }

    public string Path { get; }

    public long Length => node.Length;

    public void Read(long offset, Span<byte> destination)
    {
        if (offset + destination.Length > node.Length) throw new EndOfStreamException($"{Path}: the file ends early");
        node.Span.Slice((int)offset, destination.Length).CopyTo(destination);
    }

    public void Write(long offset, ReadOnlySpan<byte> source)
    {
        node.Grow(offset + source.Length);
        source.CopyTo(node.Span[(int)offset..]);
    }

    public void Allocate(long length) => node.Grow(length);

    public void Sync() { }

    public IMapping Map(long length, MappingAccess access) =>
        length <= node.Length ? new MemoryMapping(node, length) : throw new IOException($"{Path}: mapped beyond its end");

    public void Dispose() => node.Leave();
}

/// <summary>The file's own memory.</summary>
internal sealed unsafe class MemoryMapping : IMapping
{
    private readonly MemoryNode node;

    public MemoryMapping(MemoryNode node, long length)
    {
        this.node = node;
        Length = length;
        node.Map();
    }

    public byte* Address => node.Address;

    public long Length { get; }

    public void Dirtied(long offset, long length) { }

    public void Sync(long offset, long length) { }

    public void Populate(long offset, long length) { }

    public bool IsResident(long offset, long length) => true;

    public void Dispose() => node.Unmap();
}
