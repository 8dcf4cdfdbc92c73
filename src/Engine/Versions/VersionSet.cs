using System.Runtime.CompilerServices;
using Varve.Contract;
using Varve.Epochs;
using Varve.Format;
using Varve.Storage;
using Varve.Tables;
using Varve.Wal;

namespace Varve.Versions;

/// <summary>
/// Owns the current version, the manifest, and the gate that orders changes of both.
/// <para>
/// The problem: readers take no lock and need memtables, tables and position of one moment. Appliers rotate memtables;
/// flushes, compactions, installs and resets change tables, and each change of tables must be durable before anything
/// acts on it. A sync takes milliseconds, an apply microseconds.
/// </para>
/// <list type="number">
/// <item>A version is immutable. The current one changes by a single store, under the gate.</item>
/// <item>Memtables change under the gate alone: recovery finds them in the log. Runs, base state and generation change
/// under both the manifest lock and the gate, which are entered in this order; so holding either is enough to rely on
/// them.</item>
/// <item>A change of tables is durable in the manifest before it is current (I4, I5): <see cref="Commit"/> is
/// <see cref="AppendEditManifestHeld(VersionChange)"/>, then <see cref="InstallGateHeld"/>. The change is data until
/// then, and applied to the version that is current at the switch.</item>
/// <item>The gate is not held across the manifest's sync, except by an install or a reset, which end the log that
/// appliers append to.</item>
/// <item>Files that a change makes needless are marked before the switch; from the switch on another thread may free
/// them.</item>
/// <item>A replaced version is retired, not released: no pin and no hold may see it any more when it is freed
/// (I8).</item>
/// </list>
/// <para>
/// The obvious design is one lock around the manifest and the current version, and it lost: every flush would stop
/// appliers for a sync. Counting references a read lost too: the count is a cache line that all readers write.
/// </para>
/// <para>Any thread reads; background, install and reset commit; appliers and all others switch under the gate.</para>
/// </summary>
internal sealed class VersionSet : IDisposable
{
    private readonly RankedLock _manifestLock = new(LockOrder.Manifest);
    private readonly ManifestStore _manifest;
    private DbVersion _current;
    private bool _disposed;

    public VersionSet(
        IStorage storage, string directory, Guid databaseId, FileNumbers numbers, ManifestStore manifest,
        DbVersion first, long spareBytesMax)
    {
        RecycledFiles = new RecycledFiles(storage, directory, spareBytesMax);
        Storage = storage;
        Directory = directory;
        DatabaseId = databaseId;
        Numbers = numbers;
        Pins = new EpochTable();
        Reclaimer = new Reclaimer(Pins);
        _manifest = manifest;
        _current = first;
    }

    /// <summary>
    /// Guards the end of the log, the active memtable, and the switch of versions. Held across a manifest's sync by
    /// install and reset only.
    /// </summary>
    public ApplierGate Gate { get; } = new();

    /// <summary>Enters the gate in turn with the appliers: <see cref="ApplierGate.EnterInTurn"/>.</summary>
    public RankedLock.Scope EnterGate() => Gate.EnterInTurn();

    public IStorage Storage { get; }

    public string Directory { get; }

    public Guid DatabaseId { get; }

    public FileNumbers Numbers { get; }

    /// <summary>Bytes that were written to manifests since the open.</summary>
    public long ManifestBytes => _manifest.BytesWritten;

    /// <summary>Length of the manifest, in bytes.</summary>
    public long ManifestLength => _manifest.Length;

    /// <summary>Files of dropped tables, which the next tables are written over.</summary>
    public RecycledFiles RecycledFiles { get; }

    public EpochTable Pins { get; }

    public Reclaimer Reclaimer { get; }

    /// <summary>The current version. Read it under a pin, or hold the gate.</summary>
    public DbVersion Current => Volatile.Read(ref _current);

    /// <summary>
    /// Takes a reference to the current version, for what outlives a call. For threads that end before a close frees
    /// memory; all others use <c>ReadSessions.AcquireCurrent</c>.
    /// </summary>
    public DbVersion AcquireCurrent()
    {
        Pins.Enter();
        try
        {
            while (true)
            {
                EngineClosed.ThrowIf(Volatile.Read(ref _disposed));
                var version = Volatile.Read(ref _current);
                if (version.TryAcquire()) return version;
            }
        }
        finally
        {
            Pins.Exit();
        }
    }

    /// <summary>The version to read and the position that goes with it. Under a pin.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public DbVersion ReadPoint(out LogPosition position)
    {
        while (true)
        {
            // The position was published while the version was current, so the version has everything up to it and its
            // tables have nothing beyond it.
            var version = Current;
            position = version.Generation.Applied.Read();
            if (version == Current) return version;
        }
    }

    /// <summary>The version to read, the position that goes with it, and the mark there. Under a pin.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public DbVersion ReadPoint(out LogPosition position, out LogMark mark)
    {
        while (true)
        {
            var version = Current;
            position = version.Generation.Applied.Read(out mark);
            if (Current == version) return version;
        }
    }

    /// <summary>
    /// The version to read and the index that goes with it: enough for reads that touch no lease. Under a pin.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public DbVersion ReadPointIndex(out ulong revision)
    {
        DbVersion version;
        do
        {
            version = Current;
            revision = version.Applied.Index;
        }
        while (version != Current);
        return version;
    }

    /// <summary>
    /// The version to read and the position that goes with it, with a reference to the version, which the caller
    /// releases.
    /// </summary>
    public DbVersion AcquirePoint(out LogPosition position)
    {
        Pins.Enter();
        try
        {
            while (true)
            {
                var version = ReadPoint(out position);
                if (version.TryAcquire()) return version;
            }
        }
        finally
        {
            Pins.Exit();
        }
    }

    /// <summary>
    /// Makes a version current. Under the gate. The set's reference to the old one is released when no pin and no hold
    /// can see it (I8).
    /// </summary>
    public void SwitchGateHeld(DbVersion next)
    {
        LockOrder.Gate.AssertHeld();
        var old = _current;
        Volatile.Write(ref _current, next);
        Reclaimer.Retire(old);
    }

    /// <summary>
    /// Enters the scope in which the manifest is written. Runs and generation change in it alone, so what is read of
    /// them here still holds at the switch. Entered before the gate.
    /// </summary>
    public RankedLock.Scope EnterManifest() => _manifestLock.Enter();

    /// <summary>
    /// Makes a change durable, then current. False, with nothing done, when its generation is gone: what it takes out
    /// is no longer there.
    /// </summary>
    public bool Commit(VersionChange change)
    {
        using (EnterManifest())
        {
            if (!AppendEditManifestHeld(change)) return false;
            using (EnterGate()) InstallGateHeld(change);
            return true;
        }
    }

    /// <summary>
    /// The first half of a commit: makes the manifest record durable (I5). False, with nothing written, when the
    /// generation is gone. Where no record names the change's new tables, their files are marked to be deleted.
    /// </summary>
    public bool AppendEditManifestHeld(VersionChange change)
    {
        LockOrder.Manifest.AssertHeld();
        if (Volatile.Read(ref _current).Generation != change.Generation)
        {
            change.MarkNewFiles();
            return false;
        }

        try
        {
            _manifest.Append(change.ToEdit(Numbers.Peek));
            return true;
        }
        catch (IOException e) when (Shortage.IsMet(e))
        {
            change.MarkNewFiles(); // the manifest is as it was
            throw;
        }
    }

    /// <summary>
    /// For an install or a reset, which hold the gate too, across the sync: makes the record of the new state durable.
    /// </summary>
    /// <param name="edit">The new state and its tables.</param>
    /// <param name="isWriting">Set once the manifest may have the record; what fails before has changed
    /// nothing.</param>
    public void AppendEditManifestHeld(VersionEdit edit, ref bool isWriting)
    {
        LockOrder.Manifest.AssertHeld();
        _manifest.Append(edit with { NextFileNumber = Numbers.Peek }, ref isWriting);
    }

    /// <summary>
    /// The second half of a commit: applies the change to the version that is current now, and switches to what that
    /// gives. The manifest is held too, since <see cref="AppendEditManifestHeld(VersionChange)"/>.
    /// </summary>
    public void InstallGateHeld(VersionChange change)
    {
        LockOrder.Manifest.AssertHeld();
        LockOrder.Gate.AssertHeld();
        var next = change.ApplyTo(_current);
        change.MarkReplacedFiles(RecycledFiles);
        SwitchGateHeld(next);
    }

    public string PathOf(string name) => System.IO.Path.Combine(Directory, name);

    public void Dispose()
    {
        Volatile.Write(ref _disposed, true);
        _manifest.Dispose();
        RecycledFiles.Dispose();
    }
}
