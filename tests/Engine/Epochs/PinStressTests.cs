using System.Diagnostics;
using System.Runtime.InteropServices;
using Varve.Epochs;
using Xunit;

namespace Varve.Tests.Engine.Epochs;

/// <summary>
/// Pinned readers never see a released block. The writer swaps the shared block, retires the old one and poisons it the
/// moment it is found safe; a reader that sees poison, or a block that changes under it, fails the test.
/// </summary>
/// <remarks>
/// Before every pin a reader stores to lines that miss its cache. The stores queue up in the processor's store buffer,
/// in front of the slot's store, so that the slot becomes visible long after the pointer was loaded: the very window
/// that the process-wide fence closes. Without the fence, or with the comparison of epochs off by one, these tests
/// fail, within a second or two on two cores.
/// </remarks>
public unsafe class PinStressTests
{
    private const ulong SwapsMax = 2_000_000;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(2);
    private const int Readers = 2;
    private const int Blocks = 512;
    private const int WordsPerBlock = 32;
    private const ulong Poison = 0xDEAD_DEAD_DEAD_DEAD;
    private const int StoresAhead = 40; // a store buffer holds 56 or more
    private const int ColdBytes = 64 << 20;

    private readonly EpochTable _pins = new();
    private nint _current;
    private int _stop;
    private long _reads;
    private long _betrayed;

    [Fact]
    public void ReadersNeverSeeReleasedBlock() => Run(Writer);

    [Fact]
    public void ReadersNeverSeeBlockFreedByReclaimer() => Run(WriterWithReclaimer);

    private void Run(Action<nint> writer)
    {
        var blocks = (nint)NativeMemory.AlignedAlloc(Blocks * WordsPerBlock * sizeof(ulong), 128);
        try
        {
            Fill(Block(blocks, 0), 1);
            Volatile.Write(ref _current, (nint)Block(blocks, 0));
            var threads = Enumerable.Range(0, Readers).Select(i => new Thread(() => Reader(seed: i + 1))).ToArray();
            foreach (var thread in threads) thread.Start();
            try
            {
                writer(blocks);
            }
            finally
            {
                Volatile.Write(ref _stop, 1);
                foreach (var thread in threads) thread.Join();
            }

            Assert.Equal(0, Interlocked.Read(ref _betrayed));
            Assert.True(Interlocked.Read(ref _reads) > 0);
            Assert.Equal(0, _pins.ActivePins);
        }
        finally
        {
            NativeMemory.AlignedFree((void*)blocks);
        }
    }

    private void Writer(nint blocks)
    {
        var started = Stopwatch.GetTimestamp();
        for (ulong n = 1; MayContinue(n, started); n++)
        {
            var next = Block(blocks, n);
            Fill(next, n + 1);
            var old = (ulong*)Interlocked.Exchange(ref _current, (nint)next);
            var stamp = _pins.Retire();
            while (!_pins.IsSafe(stamp)) Thread.Yield();
            Fill(old, Poison);
        }
    }

    private void WriterWithReclaimer(nint blocks)
    {
        var reclaimer = new Reclaimer(_pins);
        var started = Stopwatch.GetTimestamp();
        for (ulong n = 1; MayContinue(n, started); n++)
        {
            var next = Block(blocks, n);
            Fill(next, n + 1);
            var old = Interlocked.Exchange(ref _current, (nint)next);
            reclaimer.Retire(() => Fill((ulong*)old, Poison));
            do reclaimer.FreeRetired();
            while (reclaimer.Pending > Blocks / 2); // a block comes round only after it was poisoned
        }

        while (reclaimer.Pending > 0) reclaimer.FreeRetired();
    }

    private bool MayContinue(ulong n, long started) =>
        n <= SwapsMax && Interlocked.Read(ref _betrayed) == 0
        && (n % 64 != 0 || Stopwatch.GetElapsedTime(started) < Duration);

    private void Reader(int seed)
    {
        var cold = (byte*)NativeMemory.AllocZeroed(ColdBytes);
        var random = (uint)seed;
        long count = 0;
        while (Volatile.Read(ref _stop) == 0)
        {
            for (var i = 0; i < StoresAhead; i++)
            {
                random = random * 1664525 + 1013904223;
                cold[random % ColdBytes] = (byte)i;
            }

            _pins.Enter();
            var block = (ulong*)Volatile.Read(ref _current);
            var first = Volatile.Read(ref block[0]);
            var bad = first == Poison;
            for (var round = 0; round < 4; round++)
                for (var i = 0; i < WordsPerBlock; i++)
                    bad |= Volatile.Read(ref block[i]) != first;
            _pins.Exit();
            if (bad) Interlocked.Increment(ref _betrayed);
            count++;
        }

        Interlocked.Add(ref _reads, count);
        NativeMemory.Free(cold);
    }

    private static ulong* Block(nint blocks, ulong n) => (ulong*)blocks + n % Blocks * WordsPerBlock;

    private static void Fill(ulong* block, ulong value)
    {
        for (var i = 0; i < WordsPerBlock; i++) Volatile.Write(ref block[i], value);
    }
}
