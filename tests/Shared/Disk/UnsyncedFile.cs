namespace Varve.Tests.Shared.Disk;

/// <summary>
/// The contents that a power loss may leave of a file: of each page its durable content and those stored since.
/// </summary>
internal sealed class UnsyncedFile(int id)
{
    private readonly List<Page?> _durable = [];
    private readonly List<UnsyncedPage?> _pending = [];

    public int Id { get; } = id;

    public IReadOnlyList<Page?> Durable => _durable;

    /// <summary>Pages with contents that are not durable, by page.</summary>
    public SortedDictionary<int, UnsyncedPage> Pending { get; } = [];

    public long Length { get; private set; }

    /// <summary>Sizes since the durable one, which a power loss may leave.</summary>
    public List<long> Lengths { get; } = [];

    public long NewestLength => Lengths.Count > 0 ? Lengths[^1] : Length;

    /// <summary>Of the durable pages; sums up.</summary>
    public ulong Hash { get; private set; }

    public void Stored(int page, Page? content, Page?[]? onTheWay)
    {
        Cover(page + 1);
        var unsynced = _pending[page];
        var newest = unsynced is null ? _durable[page] : unsynced.Newest;
        if (unsynced is null)
        {
            _pending[page] = unsynced = new UnsyncedPage(this, page, _durable[page]);
            Pending[page] = unsynced;
        }

        unsynced.Store(content, ReferenceEquals(newest, content) ? null : onTheWay);
    }

    public void Resized(long length) => Lengths.Add(length);

    public void Synced(int first, int end, bool withSize, bool failed)
    {
        List<int>? done = null;
        foreach (var (number, page) in Pending)
        {
            if (number < first || number >= end || !page.IsDirty) continue;
            page.IsDirty = false;
            if (!failed) (done ??= []).Add(number);
        }

        foreach (var number in done ?? [])
        {
            Settle(number, Pending[number].Newest);
            Pending.Remove(number);
            _pending[number] = null;
        }

        if (!withSize || failed || Lengths.Count == 0) return;
        Length = Lengths[^1];
        Lengths.Clear();
    }

    public UnsyncedFile Copy()
    {
        var copy = new UnsyncedFile(Id) { Length = Length, Hash = Hash };
        copy._durable.AddRange(_durable);
        copy._pending.AddRange(_pending);
        return copy;
    }

    /// <summary>Makes a content durable without a sync: how a disk begins.</summary>
    public void Begin(int page, Page? content)
    {
        Cover(page + 1);
        Settle(page, content);
    }

    public void BeginLength(long length) => Length = length;

    /// <summary>The contribution of a sector to the hash of a disk.</summary>
    public ulong HashOf(int page, int sector, Page? content)
    {
        var hash = Page.SectorHash(content, sector);
        return hash == 0
            ? 0
            : CrashPoint.Mix(hash ^ CrashPoint.Mix(((ulong)Id << 32) + ((ulong)page * Page.Sectors) + (ulong)sector));
    }

    private void Settle(int page, Page? content)
    {
        for (var sector = 0; sector < Page.Sectors; sector++)
            Hash += HashOf(page, sector, content) - HashOf(page, sector, _durable[page]);
        _durable[page] = content;
    }

    private void Cover(int pages)
    {
        while (_durable.Count < pages)
        {
            _durable.Add(null);
            _pending.Add(null);
        }
    }
}

/// <summary>The contents that a page may have after a power loss; each of its sectors may be of another one.</summary>
internal sealed class UnsyncedPage
{
    private readonly Page? _durable;
    private readonly List<Page?> _stored = [];
    private readonly List<Page?> _onTheWay = [];
    private SectorChoice[]? _sectors;

    public UnsyncedPage(UnsyncedFile file, int number, Page? durable)
    {
        _durable = durable;
        File = file;
        Number = number;
        Newest = durable;
    }

    public UnsyncedFile File { get; }

    public int Number { get; }

    public Page? Newest { get; private set; }

    /// <summary>False after a sync that failed: the next one does not write it.</summary>
    public bool IsDirty { get; set; }

    /// <summary>The source of an image's sectors; set by <see cref="CrashPoint"/>.</summary>
    public Page?[] Chosen { get; } = new Page?[Page.Sectors];

    /// <summary>Contents stored since the durable one, oldest first.</summary>
    public IReadOnlyList<Page?> Contents => _stored;

    public void Store(Page? content, Page?[]? mixes)
    {
        IsDirty = true;
        if (ReferenceEquals(content, Newest) && _stored.Count > 0) return;
        _stored.Add(content);
        if (mixes is not null) _onTheWay.AddRange(mixes);
        Newest = content;
        _sectors = null;
    }

    /// <summary>The undecided sectors, each with its options: the durable one first.</summary>
    public SectorChoice[] Sectors()
    {
        if (_sectors is not null) return _sectors;
        var choices = new List<SectorChoice>();
        for (var sector = 0; sector < Page.Sectors; sector++)
        {
            Chosen[sector] = _durable;
            var options = new List<Page?> { _durable };
            var newest = 0;
            foreach (var content in _stored) newest = AddOption(options, content, sector);
            var whole = options.Count;
            foreach (var content in _onTheWay) AddOption(options, content, sector);
            if (options.Count > 1) choices.Add(new SectorChoice(this, sector, [.. options], newest, whole));
        }

        return _sectors = [.. choices];
    }

    private static int AddOption(List<Page?> options, Page? content, int sector)
    {
        for (var i = 0; i < options.Count; i++)
            if (Page.SameSector(options[i], content, sector)) return i;
        options.Add(content);
        return options.Count - 1;
    }
}

/// <summary>
/// A sector that a power loss may leave in several ways; those from <see cref="Whole"/> on are half-stored mixes.
/// </summary>
internal sealed record SectorChoice(UnsyncedPage Page, int Sector, Page?[] Options, int Newest, int Whole);
