using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Varve.Epochs;

/// <summary>
/// Keeps memory that readers walk without locks alive until the last of them is gone.
/// </summary>
/// <remarks>
/// <para><b>The problem.</b> A get takes under 200 ns and touches a version, its memtables and its mappings. Something
/// must stop the background thread from unmapping them meanwhile. A reference count is the obvious design and lost: two
/// locked operations (15 ns) on a line that every reader writes, which is what stops reads from scaling. Hazard
/// pointers cost a store and a full fence a pointer. Here a read pays two plain stores to a line of its own, and the
/// rare side pays for the fence of both: an asymmetric fence.</para>
///
/// <para><b>The protocol.</b> There is one epoch E, only ever increased. Each thread has a slot; 0 is unpinned.</para>
/// <code>
///   reader                            reclaimer
///   r1  e = E           (acquire)     w1  unlink the resource (a store to a shared pointer)
///   r2  slot = e                      w2  stamp = E++            (full fence)
///   r3  load shared pointers          w3  limit = E
///   r4  use what they lead to         w4  a full fence on every thread of the process
///   r5  slot = 0        (release)     w5  scan all slots; safe: each is 0 or above stamp, and limit is above stamp
/// </code>
///
/// <para><b>The argument.</b> Let w4 interrupt the reader's thread at a point F: all that the reader did before F is
/// visible to w5, and all that it does after F sees w1. Say that the scan finds stamp safe, and that some reader
/// nonetheless holds the resource, that is, its r3 loaded the pointer before w1 took effect. Then r3 was before F, and
/// so was r2: instructions retire in program order, an interrupt discards loads that ran ahead without retiring, the
/// fence at F drains the store buffer, and <see cref="Enter"/> ends with a barrier (no instruction on x64) so that the
/// compiler swaps nothing. So w5 sees what r2 stored, unless r5 has already replaced it:
/// <list type="number">
/// <item>w5 sees e. If e were above stamp, r1 read a value that w2 or a later increment wrote, and since w1 precedes w2
/// and r1 acquires, r3 would have seen w1. So e is at or below stamp, and the scan did not find stamp safe:
/// contradiction.</item>
/// <item>w5 sees the 0 of r5 (or a later pin). r5 releases, so the reader's use was over: it does not hold the
/// resource.</item>
/// </list>
/// A resource found safe stays safe: later readers cannot reach it.</para>
///
/// <para><b>A reader that is preempted between r1 and r2</b> stores an epoch that is long past. If F fell before r2,
/// then r3 comes after F and sees every unlink up to that scan: what was freed cannot be reached, whatever the slot
/// says. From then on the old epoch only makes the scan more careful than it need be. So the epochs in the slots are
/// not monotonic, and nothing may be concluded from one scan for stamps handed out after it: that is what limit (w3,
/// before the fence) is for.</para>
///
/// <para><b>Growth.</b> A slot is an object of its own that never moves to another table; growing copies references
/// into a larger array under the lock, so that every array that any thread still sees leads to the same slots. A thread
/// makes its slot and publishes the array before r2 of its first pin. The scan takes the array after w4: if it misses
/// the slot, the slot was published after F, hence r3 is after F, and the reader sees w1.</para>
///
/// <para><b>Nesting and dead threads.</b> Only the outermost pin stores; its epoch is the oldest, so it covers the
/// inner ones. A slot is found by <see cref="ThreadOrdinal"/>. The slot of a thread that died with a pin out stays
/// pinned, also when its number passes to another thread, whose pins then merely nest in the lost one: memory is kept,
/// never freed early.</para>
/// </remarks>
internal sealed class EpochTable
{
    private const int SlotsAtFirst = 16;

    private readonly RankedLock _gate = new(LockOrder.EpochSlots);
    private Slot?[] _slots = new Slot?[SlotsAtFirst];
    private long _epoch = 1;

    /// <summary>The number of threads that have a pin at this moment.</summary>
    public int ActivePins
    {
        get
        {
            var count = 0;
            foreach (var slot in Volatile.Read(ref _slots))
                if (slot is not null && Volatile.Read(ref slot.Epoch) != 0) count++;
            return count;
        }
    }

    /// <summary>
    /// The epoch of the oldest pin, or the current one where nothing is pinned. For statistics: taken without a fence.
    /// </summary>
    public long OldestEpoch => OldestOf(Volatile.Read(ref _slots), CurrentEpoch);

    /// <summary>The epoch that a pin taken now would carry.</summary>
    public long CurrentEpoch => Volatile.Read(ref _epoch);

    /// <summary>
    /// Pins for the calling thread what it loads from now on, until the matching <see cref="Exit()"/> on the same
    /// thread. Nests. Load shared pointers after this call, never before.
    /// </summary>
    /// <returns>The thread's slot, with which <see cref="Exit(Slot)"/> need not look for it again.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Slot Enter()
    {
        var slot = MySlot();
        if (slot.Depth++ != 0) return slot;
        Volatile.Write(ref slot.Epoch, Volatile.Read(ref _epoch));
        // Keeps the compiler from loading shared pointers ahead of the store. The processor may still do so: Fence() is
        // for that.
        Volatile.ReadBarrier();
        return slot;
    }

    /// <summary>
    /// Ends the calling thread's innermost pin. What was read under the outermost one is gone after its end.
    /// </summary>
    /// <exception cref="InvalidOperationException">The calling thread holds no pin.</exception>
    public void Exit() => Exit(MySlot());

    /// <summary>
    /// Ends the calling thread's innermost pin, like <see cref="Exit()"/>, by the slot that <see cref="Enter"/> gave
    /// it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The slot holds no pin.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Exit(Slot slot)
    {
        var depth = slot.Depth - 1;
        if (depth < 0) ThrowUnpinned(); // counted on, it would make the next pin on this thread hold nothing
        slot.Depth = depth;
        if (depth == 0) Volatile.Write(ref slot.Epoch, 0);
    }

    /// <summary>
    /// Ends the epoch. Call it after the resource became unreachable for new readers. The returned stamp is for
    /// <see cref="IsSafe"/>. Any thread.
    /// </summary>
    public long Retire() => Interlocked.Increment(ref _epoch) - 1;

    /// <summary>
    /// True if no reader that could see what was retired at <paramref name="stamp"/> is still pinned. Costs a
    /// process-wide fence (microseconds).
    /// </summary>
    public bool IsSafe(long stamp) => stamp < SafeBelow();

    /// <summary>
    /// One fence for many stamps: everything retired at a stamp below the returned one is safe from now on.
    /// </summary>
    public long SafeBelow()
    {
        var limit = CurrentEpoch;
        Fence();
        return OldestOf(Volatile.Read(ref _slots), limit);
    }

    [DoesNotReturn]
    private static void ThrowUnpinned() => throw new InvalidOperationException("The calling thread holds no pin.");

    private static void Fence() => Interlocked.MemoryBarrierProcessWide();

    private static long OldestOf(Slot?[] slots, long limit)
    {
        var oldest = limit;
        foreach (var slot in slots)
        {
            if (slot is null) continue;
            var pinned = Volatile.Read(ref slot.Epoch);
            if (pinned != 0 && pinned < oldest) oldest = pinned;
        }

        return oldest;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Slot MySlot()
    {
        var ordinal = ThreadOrdinal.Current;
        var all = _slots;
        return (uint)ordinal < (uint)all.Length && all[ordinal] is { } slot ? slot : AddSlot(ordinal);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Slot AddSlot(int ordinal)
    {
        using (_gate.Enter())
        {
            var all = _slots;
            if (ordinal >= all.Length)
            {
                all = new Slot?[Math.Max(ordinal + 1, all.Length * 2)];
                _slots.CopyTo(all, 0);
            }

            var slot = all[ordinal] ??= new Slot { Ordinal = ordinal };
            Volatile.Write(ref _slots, all);
            return slot;
        }
    }

    /// <summary>
    /// The state of one thread's pins, in the middle of 128 bytes, so that no other thread's data shares their
    /// lines.
    /// </summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    internal sealed class Slot
    {
        /// <summary>The epoch of the outermost pin; 0: none. Written by the owner, read by the scan.</summary>
        [FieldOffset(56)]
        public long Epoch;

        /// <summary>The number of nested pins. Of the owner alone.</summary>
        [FieldOffset(64)]
        public int Depth;

        /// <summary>
        /// The number of the thread (<see cref="ThreadOrdinal"/>), or of several, one after the other.
        /// </summary>
        [FieldOffset(72)]
        public int Ordinal;
    }
}
