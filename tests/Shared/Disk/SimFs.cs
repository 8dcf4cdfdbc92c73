using Varve.Storage;

namespace Varve.Tests.Shared.Disk;

/// <summary>
/// The file system in memory that stands behind the engine's seam in tests. It remembers what was not synced. What the
/// engine reads is the page cache; every change goes to a journal, from which <see cref="UnsyncedDisk"/> says at any
/// moment what a power loss may leave.
/// <list type="bullet">
/// <item>A file's pages, its size, and its names are made durable apart from each other. A sync of a file does not make
/// its name durable.</item>
/// <item>A failed sync leaves its pages clean, and a later one does not write them.</item>
/// <item>A rename is one step. A name that a power loss takes leaves the file to its other names.</item>
/// <item>A store through a mapping is found by comparing, whether it was announced or not.</item>
/// </list>
/// Safe for any thread; one call at a time.
/// </summary>
internal sealed unsafe partial class SimFs : IStorage, IDisposable
{
    public const int RootId = 1;
    private readonly object _gate = new(); // not a Lock: tests/Schedules puts that name under control
    private readonly Dictionary<int, SimNode> _nodes = [];
    private readonly HashSet<int> _locked = [];
    private readonly Dictionary<int, int> _shared = [];
    private Random? _mixing;
    private SimDirectory _root = new(RootId);
    private int _lastId = RootId;

    public SimFs() => _nodes[RootId] = _root;

    /// <summary>Held during every call.</summary>
    internal object Gate => _gate;

    /// <summary>Receives every change; null: they are not written down.</summary>
    public Journal? Journal { get; private set; }

    public SimFaults Faults { get; } = new();

    /// <summary>Room on the disk, bytes.</summary>
    public long Capacity { get; set; } = long.MaxValue;

    /// <summary>The space that files use.</summary>
    public long Used { get; private set; }

    /// <summary>The node number of a path.</summary>
    public int IdOf(string path)
    {
        lock (_gate) return (Find(path) ?? throw new FileNotFoundException(path)).Id;
    }

    /// <summary>Writes down every change from now on. What is there is the beginning, all of it durable.</summary>
    public Journal Record()
    {
        lock (_gate)
        {
            foreach (var node in _nodes.Values)
            {
                if (node is not SimFile file) continue;
                for (var page = 0; page < file.Known.Count; page++)
                    if (file.WritableMappings > 0 || ReferenceEquals(file.Known[page], Page.Unknown))
                        file.Known[page] = Page.Of(file.PageBytes(page));
            }

            return Journal = new Journal();
        }
    }

    /// <summary>Adds a note to the journal, after the stores in mappings so far.</summary>
    public void Note(object note)
    {
        lock (_gate)
        {
            CaptureAll();
            Journal?.Add(new SimEvent(SimEventKind.Noted) { Note = note });
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var node in _nodes.Values) (node as SimFile)?.Dispose();
            _nodes.Clear();
        }
    }

    /// <summary>Runs a call: counted, refused if it is to fail, alone.</summary>
    internal T Call<T>(SimCall call, string path, Func<T> action, Action? refused = null)
    {
        lock (_gate)
        {
            if (Faults.Enter(call, path) is not { } failure) return action();
            refused?.Invoke();
            throw failure;
        }
    }

    internal void Call(SimCall call, string path, Action action, Action? refused = null) => Call(
        call, path, () =>
        {
            action();
            return 0;
        }, refused);

    internal void Locked(Action action)
    {
        lock (_gate) action();
    }

    /// <summary>Takes room on the disk for a file, or finds it full.</summary>
    internal void Take(SimFile file, long length, string path)
    {
        var taken = (long)SimFile.PagesOf(length) * Page.Size;
        if (taken <= file.Taken) return;
        if (taken - file.Taken > Capacity - Used)
            throw new StorageFullException(path, new IOException($"{path}: no space left", 28));
        Used += taken - file.Taken;
        file.Taken = taken;
    }

    internal void Release(SimNode node)
    {
        if (--node.References > 0) return;
        if (node is SimFile file)
        {
            Used -= file.Taken;
            if (Journal is null && node.Id <= _loadedUpTo) return; // kept for the next image
            file.Dispose();
        }

        _nodes.Remove(node.Id);
    }

    internal void Grow(SimFile file, long length)
    {
        if (length <= file.Length) return;
        file.Reserve(length);
        file.Length = length;
        Journal?.Add(new SimEvent(SimEventKind.Resized) { Node = file.Id, Size = length });
    }

    internal void Shrink(SimFile file, long length)
    {
        if (file.Mappings > 0)
            throw new NotSupportedException("The simulated disk does not cut a file off under a mapping.");
        if (length >= file.Length) return;
        var pages = SimFile.PagesOf(length);
        new Span<byte>(file.Memory + length, checked((int)(file.Length - length))).Clear();
        for (var page = pages; page < SimFile.PagesOf(file.Length); page++) file.Known[page] = null;
        if (length % Page.Size != 0) Stored(file, pages - 1, throughMapping: false);
        Used -= file.Taken - ((long)pages * Page.Size);
        file.Taken = (long)pages * Page.Size;
        file.Length = length;
        Journal?.Add(new SimEvent(SimEventKind.Resized) { Node = file.Id, Size = length });
    }

    internal void Stored(SimFile file, int page, bool throughMapping)
    {
        if (Journal is null)
        {
            file.Known[page] = Page.Unknown;
            return;
        }

        var before = file.Known[page];
        var bytes = file.PageBytes(page);
        var same = bytes.SequenceEqual(Page.Bytes(before));
        var content = same ? before : Page.Of(bytes);
        file.Known[page] = content;
        Journal.Add(new SimEvent(SimEventKind.Stored)
        {
            Node = file.Id,
            Page = page,
            Content = content,
            OnTheWay = same || !throughMapping ? null : Mix(Page.Bytes(before), bytes),
        });
    }

    /// <summary>Finds stores through mappings, of announced pages and of all others.</summary>
    internal void Capture(SimFile file, int first = 0, int end = 0)
    {
        if (Journal is null || file.WritableMappings == 0) return;
        for (var page = 0; page < file.Known.Count; page++)
        {
            if ((page >= first && page < end) || !file.PageBytes(page).SequenceEqual(Page.Bytes(file.Known[page])))
                Stored(file, page, throughMapping: true);
        }
    }

    /// <summary>Without a journal nobody follows the stores through a mapping.</summary>
    internal void Forget(SimFile file)
    {
        if (Journal is not null) return;
        for (var page = 0; page < file.Known.Count; page++) file.Known[page] = Page.Unknown;
    }

    private void CaptureAll()
    {
        foreach (var node in _nodes.Values)
            if (node is SimFile { WritableMappings: > 0 } file) Capture(file);
    }

    /// <summary>
    /// The words of a page reach the disk in any order while it is stored to: its beginning first, its end first, any
    /// of them.
    /// </summary>
    private Page?[] Mix(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after)
    {
        const int Word = 8;
        var changed = new List<int>();
        for (var at = 0; at < Page.Size; at += Word)
            if (!before.Slice(at, Word).SequenceEqual(after.Slice(at, Word))) changed.Add(at);
        if (changed.Count < 2) return [];
        var mixing = _mixing ??= new Random(1);
        var cut = mixing.Next(1, changed.Count);
        var header = Math.Min(mixing.Next(1, 13), changed.Count - 1);
        return [With(before, after, changed, i => i < cut), With(before, after, changed, i => i >= header), With(
            before, after, changed, _ => mixing.Next(2) == 0)];

        static Page? With(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, List<int> changed, Func<int, bool> isNew)
        {
            Span<byte> mixed = stackalloc byte[Page.Size];
            before.CopyTo(mixed);
            for (var i = 0; i < changed.Count; i++)
                if (isNew(i)) after.Slice(changed[i], Word).CopyTo(mixed[changed[i]..]);
            return Page.Of(mixed);
        }
    }
}
