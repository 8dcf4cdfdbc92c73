using System.Runtime.CompilerServices;
using Varve.Epochs;

namespace Varve.Versions;

/// <summary>
/// Keeps one version, and nothing else, for as long as its owner likes: what a view holds where a short call holds a
/// pin.
/// </summary>
/// <remarks>
/// <para>A pin keeps all that is retired after it began, which is right for a call and wrong for a view that stays
/// open: with it, memory and files would grow by all that is written meanwhile. A reference count on the version would
/// do, and costs two locked operations on a line that all readers share. A hold is a hazard pointer instead: the owner
/// names the version in a place of its own, by plain stores.</para>
/// <para><b>The protocol.</b> The owner takes the version under a pin, names it (<see cref="Hold"/>), and only then
/// ends the pin. The reclaimer first finds that no pin can see the retired version any more (<see cref="EpochTable"/>),
/// and then asks the holds. An owner whose pin it did not meet has ended it, so what was named before that is seen. A
/// version that is retired cannot be taken anew: once no hold names it, none ever will.</para>
/// <para>A hold is ended by one store. Its owner then looks whether the version is still current, and if it is not, has
/// somebody collect; the reclaimer's process-wide fence lies between the switch of versions and its look at the holds,
/// so one of the two sees what the other did.</para>
/// </remarks>
internal abstract class VersionHold
{
    private int _generation;

    /// <summary>The version that is held, while it is; what is left here afterwards is not to be used.</summary>
    public DbVersion Version { get; private set; } = null!;

    /// <summary>Odd while a version is held. For the owner's thread.</summary>
    public int Generation => _generation;

    /// <summary>Whether a version is held. For the owner's thread.</summary>
    public bool IsOpen => (_generation & 1) != 0;

    /// <summary>The version that is held at this moment, if any. Any thread.</summary>
    public DbVersion? Held => (Volatile.Read(ref _generation) & 1) != 0 ? Version : null;

    /// <summary>Holds a version that the caller took under a pin, and still has that pin.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected void Hold(DbVersion version)
    {
        if (Version != version) Version = version;
        Volatile.Write(ref _generation, _generation + 1);
    }

    /// <summary>Ends the hold. Afterwards the caller asks whether the version is still current.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected void LetGo()
    {
        Volatile.Write(ref _generation, _generation + 1);
        Volatile.ReadBarrier(); // as in EpochTable.Enter: the question comes after the store
    }
}

/// <summary>The holds that there are. Any thread.</summary>
internal sealed class VersionHolds
{
    private readonly Lock _lock = new();
    private VersionHold[] _all = [];

    /// <summary>All of them, those that hold nothing too.</summary>
    public ReadOnlySpan<VersionHold> All => Volatile.Read(ref _all);

    /// <summary>Adds one before its first use.</summary>
    public void Add(VersionHold hold)
    {
        lock (_lock) Volatile.Write(ref _all, [.. _all, hold]);
    }

    /// <summary>Whether one of them holds a version.</summary>
    public bool Hold(DbVersion version)
    {
        foreach (var hold in All)
            if (hold.Held == version) return true;
        return false;
    }
}
