using System.Runtime.CompilerServices;

namespace Varve.Epochs;

/// <summary>
/// Keeps one resource, and nothing else, for as long as its owner likes: a view has a hold where a call has a pin.
/// </summary>
/// <remarks>
/// <para>A pin keeps all that is retired after it began, which is right for a call and wrong for a view that stays
/// open: with it, memory and files would grow by all that is written meanwhile. A reference count on the version would
/// do, and costs two locked operations on a line that all readers share. A hold is a hazard pointer instead: the owner
/// names the resource in a place of its own, by plain stores.</para>
/// <para><b>The protocol.</b> The owner takes the resource under a pin, names it (<see cref="Begin"/>), and only then
/// ends the pin. The reclaimer first finds that no pin can see the retired resource any more
/// (<see cref="EpochTable"/>), and then asks the holds. An owner whose pin it did not meet has ended it, so the
/// reclaimer sees what was named before that. A retired resource cannot be taken anew: once no hold names it, none ever
/// will.</para>
/// <para>One store ends a hold. Its owner then checks whether the resource is still current, and if it is not, has
/// somebody free what was retired; the reclaimer's process-wide fence lies between the switch to another resource and
/// its look at the holds, so one of the two sees what the other did.</para>
/// </remarks>
internal abstract class Hold
{
    private RefCounted? _resource; // stays when the hold ends, and is not used then
    private int _generation;

    /// <summary>Odd while a resource is held. For the owner's thread.</summary>
    public int Generation => _generation;

    /// <summary>True while a resource is held. For the owner's thread.</summary>
    public bool IsOpen => (_generation & 1) != 0;

    /// <summary>The resource that is held at this moment, if any. Any thread.</summary>
    public RefCounted? Held => (Volatile.Read(ref _generation) & 1) != 0 ? _resource : null;

    /// <summary>Holds a resource that the caller took under a pin, and still has that pin.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected void Begin(RefCounted resource)
    {
        if (_resource != resource) _resource = resource;
        Volatile.Write(ref _generation, _generation + 1);
    }

    /// <summary>Ends the hold. Afterwards the caller checks whether the resource is still current.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected void End()
    {
        Volatile.Write(ref _generation, _generation + 1);
        Volatile.ReadBarrier(); // as in EpochTable.Enter: the question comes after the store
    }
}
