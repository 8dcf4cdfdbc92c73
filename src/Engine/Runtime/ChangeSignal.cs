using System.Runtime.CompilerServices;

namespace Varve.Runtime;

/// <summary>
/// Tells the thread that dispatches changes that more are published. A publisher pays one load while nobody waits.
/// <para>
/// The publisher stores the new end, then asks whether it is awaited. The dispatcher says that it waits, then looks at
/// the end once more. The fence of both is the dispatcher's, on every thread of the process, as in
/// <see cref="Varve.Epochs.EpochTable"/>: either the publisher's question comes after it and finds the dispatcher
/// waiting, or its store came before it and the dispatcher finds the new end.
/// </para>
/// <para>Threads: any raises; one waits.</para>
/// </summary>
internal sealed class ChangeSignal
{
    private int _isAwaited;

    /// <summary>Wakes the dispatcher. While <see cref="Arm"/> has been called only; set once before that.</summary>
    public Action? Awaken { get; set; }

    /// <summary>Wakes the dispatcher if it waits. The caller has published the new end of the log.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Raise()
    {
        Volatile.ReadBarrier(); // as in EpochTable.Enter: the question comes after the store
        if (Volatile.Read(ref _isAwaited) != 0) Wake();
    }

    /// <summary>From here on a <see cref="Raise"/> wakes the dispatcher, which now looks at the end again.</summary>
    public void Arm()
    {
        Volatile.Write(ref _isAwaited, 1);
        Interlocked.MemoryBarrierProcessWide();
    }

    /// <summary>The dispatcher does not wait: no publisher wakes it.</summary>
    public void Disarm() => Volatile.Write(ref _isAwaited, 0);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Wake()
    {
        if (Interlocked.Exchange(ref _isAwaited, 0) != 0) Awaken?.Invoke();
    }
}
