using System.Runtime.InteropServices;

namespace Varve.Tests.Shared.Disk;

/// <summary>An inode. Its number is never used again.</summary>
internal abstract class SimNode(int id)
{
    public int Id { get; } = id;

    /// <summary>Names, handles and mappings; what has none is gone.</summary>
    public int References { get; set; }
}

internal sealed class SimDirectory(int id) : SimNode(id)
{
    public Dictionary<string, SimNode> Entries { get; } = new(StringComparer.Ordinal);
}

/// <summary>
/// A file: its content in native memory, which mappings point into, and what content each page is known to have, so
/// that a store through a mapping can be told.
/// </summary>
internal sealed unsafe class SimFile(int id) : SimNode(id), IDisposable
{
    private byte* _block;
    private long _capacity;

    public byte* Memory { get; private set; }

    public long Length { get; set; }

    /// <summary>Blocks of the disk that it takes, bytes.</summary>
    public long Taken { get; set; }

    /// <summary>Mappings of the file's own memory.</summary>
    public int Mappings { get; set; }

    public int WritableMappings { get; set; }

    public List<Page?> Known { get; } = [];

    public static int PagesOf(long length) => (int)((length + Page.Size - 1) / Page.Size);

    public Span<byte> PageBytes(int page) => new(Memory + ((long)page * Page.Size), Page.Size);

    /// <summary>Makes room for a length; new bytes are zeros.</summary>
    public void Reserve(long length)
    {
        var pages = PagesOf(length);
        while (Known.Count < pages) Known.Add(null);
        if (length <= _capacity) return;
        if (Mappings > 0) throw new NotSupportedException("The simulated disk does not grow a file under a mapping.");
        var larger = Math.Max((long)pages * Page.Size, _capacity * 2);
        var block = (byte*)NativeMemory.AllocZeroed((nuint)larger + Page.Size - 1); // untouched, it takes no memory
        var memory = (byte*)(((nuint)block + Page.Size - 1) & ~(nuint)(Page.Size - 1));
        if (_capacity > 0) Buffer.MemoryCopy(Memory, memory, larger, _capacity);
        NativeMemory.Free(_block);
        _block = block;
        Memory = memory;
        _capacity = larger;
    }

    /// <summary>Puts a whole page in place, unless it is known to be there.</summary>
    public void Put(int page, Page? content)
    {
        if (ReferenceEquals(Known[page], content)) return;
        Page.Bytes(content).CopyTo(PageBytes(page));
        Known[page] = content;
    }

    public void Dispose()
    {
        NativeMemory.Free(_block);
        _block = Memory = null;
        _capacity = 0;
        Known.Clear();
        GC.SuppressFinalize(this);
    }

    ~SimFile() => Dispose();
}
