using Varve.Background;
using Varve.Tests.Shared.Disk;

namespace Varve.Tests.Corruption.Golden;

/// <summary>The verdicts about a damaged database.</summary>
internal enum Verdict
{
    /// <summary>Refused at open.</summary>
    Open,

    /// <summary>Refused by the first read of it.</summary>
    Read,

    /// <summary>Met by no read; found by verification.</summary>
    Verify,

    /// <summary>Nobody's data: the state is that of the intact database.</summary>
    Harmless,

    /// <summary>Taken for a torn tail: the state is exactly that of an earlier position.</summary>
    Gap,
}

/// <summary>
/// One observation: the verdict, the failure if any, and the position of the state if there was none.
/// </summary>
internal readonly record struct Observation(Verdict Verdict, string? Path, ulong Index);

/// <summary>
/// Opens a database read-only, reads all of it in every way there is, and compares it with the model.
/// </summary>
internal static class StateReader
{
    public static Observation Read(SimFs disk, GoldenDatabase golden, bool isThorough = true)
    {
        LsmStateMachine machine;
        try
        {
            machine = LsmStateMachine.Open(
                GoldenDatabase.Directory, GoldenDatabase.Options with { ReadOnly = true }, new EngineSeams(disk));
        }
        catch (CorruptionException e)
        {
            return new Observation(Verdict.Open, e.Path, 0);
        }

        using (machine)
        {
            try
            {
                var index = Compare(machine, golden.Log, isThorough);
                if (index == golden.Log.Last.Index && !HasMark(machine, GoldenDatabase.MarkOf(index)))
                    throw new WrongStateException("another mark");
                if (index == golden.Log.Last.Index && machine.SnapshotMetadata != golden.LastMetadata)
                    throw new WrongStateException("another snapshot's metadata");
                return new Observation(index == golden.Log.Last.Index ? Verdict.Harmless : Verdict.Gap, null, index);
            }
            catch (CorruptionException e)
            {
                return new Observation(Verdict.Read, e.Path, 0);
            }
        }
    }

    /// <summary>The machine's position; throws where its state is not exactly the model's there.</summary>
    public static ulong Compare(LsmStateMachine machine, GoldenLog log, bool isThorough = true)
    {
        var index = machine.LastApplied.Index;
        if (!log.IsPosition(index)) throw new WrongStateException($"entry {index} ends no chunk");
        Compare(machine, log.At(index), log.Universe, isThorough);
        return index;
    }

    public static void Compare(LsmStateMachine machine, GoldenState expected, byte[][] universe, bool isThorough = true)
    {
        if (machine.LastApplied != new LogId(expected.Index, expected.Term))
            throw new WrongStateException($"position {machine.LastApplied}, not {expected.Index}");
        using (var view = machine.OpenView())
        {
            var row = 0;
            foreach (var entry in view.ScanPrefix([]))
            {
                if (row == expected.Keys.Length || !entry.Key.SequenceEqual(expected.Keys[row])
                    || !entry.Value.SequenceEqual(expected.Values[row]))
                    throw new WrongStateException($"row {row} of the scan is another");
                row++;
            }

            if (row != expected.Keys.Length) throw new WrongStateException($"{row} rows, not {expected.Keys.Length}");
            if (!isThorough) return;
            var at = 0;
            foreach (var key in universe)
            {
                var found = view.TryGet(key, out var value);
                var order = Array.BinarySearch(expected.Keys, key, ByteOrder.Instance);
                if (found != order >= 0 || (found && !value.SequenceEqual(expected.Values[order])))
                    throw new WrongStateException($"key {at} has another value");
                at++;
            }

            foreach (var entry in view.ScanPrefix([]).Reversed())
                if (--row < 0 || !entry.Key.SequenceEqual(expected.Keys[row])
                    || !entry.Value.SequenceEqual(expected.Values[row]))
                    throw new WrongStateException($"row {row} backward is another");
            if (row != 0) throw new WrongStateException("rows are missing backward");
        }

        if (machine.Count != expected.Keys.Length)
            throw new WrongStateException($"{machine.Count} keys counted, not {expected.Keys.Length}");
        if (expected.Index > 0 && machine.EntryTerm(expected.Index) != expected.Term)
            throw new WrongStateException("another term");
    }

    private static bool HasMark(LsmStateMachine machine, byte[] expected)
    {
        Span<byte> mark = stackalloc byte[64];
        return mark[..machine.ReadMark(mark)].SequenceEqual(expected);
    }
}

/// <summary>The one thing that must never be: a state that is not the model's.</summary>
internal sealed class WrongStateException(string message) : Exception(message);
