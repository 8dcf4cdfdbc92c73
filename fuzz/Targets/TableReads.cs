using Varve.Format;
using Varve.Tables;
using static Varve.Fuzz.Targets.Contract;

namespace Varve.Fuzz.Targets;

/// <summary>Every way to read a table, over keys that it holds and keys beside them.</summary>
internal static unsafe class TableReads
{
    private static readonly byte[][] Probes = [
        "\0"u8.ToArray(), "k2"u8.ToArray(), "k"u8.ToArray(), "user/15/profile/of some length"u8.ToArray(),
        "user/3"u8.ToArray(), [0xFF, 0xFF]];

    [ThreadStatic]
    private static byte[]? _keyBuffer;

    /// <summary>
    /// Reads in one of the ways that there are, and it may find corruption. Which way depends on the input: all of them
    /// each time would be a score of exceptions, and a tenth of the executions.
    /// </summary>
    public static void All(Table table, uint choice)
    {
        switch (choice >> 16 & 3)
        {
            case 0: ReadAt(table, Probes[(choice & 0xFF) % Probes.Length], choice >> 8 & 3); break;
            case 1:
                ReadAt(
                    table, (choice & 1) == 0 ? table.Properties.SmallestKey : table.Properties.LargestKey,
                    choice >> 8 & 3); break;
            case 2: Guarded(() => Walk(table)); break;
            default: Guarded(() => WalkLeases(table)); break;
        }
    }

    /// <summary>The properties of a table that has passed verification.</summary>
    public static void CheckVerified(Table table)
    {
        var keys = new List<byte[]>();
        var cursor = new TableCursor(table);
        for (var on = cursor.SeekFirst(); on; on = cursor.MoveNext()) keys.Add(KeyOf(cursor));
        Holds(keys.Count == table.Descriptor.RowCount, "as many rows as the manifest says");
        for (var i = 0; i < keys.Count; i++)
        {
            Holds(i == 0 || keys[i - 1].AsSpan().SequenceCompareTo(keys[i]) < 0, "keys that ascend");
            Holds(table.Find(keys[i], TestHash.Of(keys[i])).Exists, "a key that is found");
            Holds(cursor.Seek(keys[i]) && KeyOf(cursor).AsSpan().SequenceEqual(keys[i]), "a key that is sought");
            Holds(
                cursor.SeekBefore(keys[i]) == i > 0 && (i == 0 || KeyOf(cursor).AsSpan().SequenceEqual(keys[i - 1])),
                "the key before");
        }

        var at = keys.Count;
        for (var on = cursor.SeekLast(); on; on = cursor.MovePrevious())
            Holds(KeyOf(cursor).AsSpan().SequenceEqual(keys[--at]), "the same keys backward");
        Holds(at == 0, "as many rows backward");
    }

    private static void ReadAt(Table table, byte[] probe, uint way)
    {
        Guarded(() =>
        {
            if ((way & 1) == 0)
            {
                var stepwise = FindInSteps(table, probe);
                if (stepwise.Exists) Touch(stepwise);
                var row = table.Find(probe, TestHash.Of(probe));
                if (row.Exists) Touch(row);
                Holds(row.Exists == stepwise.Exists, "one answer in steps and at once");
                return;
            }

            var cursor = new TableCursor(table);
            if ((way & 2) == 0)
            {
                if (cursor.Seek(probe)) Touch(cursor.Row);
                if (cursor.IsValid) cursor.CompareKeyTo(probe);
            }

            if (cursor.SeekBefore(probe)) Touch(cursor.Row);
        });
    }

    private static KeyVersion FindInSteps(Table table, byte[] probe)
    {
        var hash = TestHash.Of(probe);
        table.PrefetchFilter(hash);
        var block = table.FindBlock(probe, hash);
        var candidates = block < 0 ? 0 : table.FindCandidates(block, hash);
        return candidates == 0 ? default : table.FindRow(block, probe, candidates);
    }

    private static void Walk(Table table)
    {
        var buffer = _keyBuffer ??= new byte[ushort.MaxValue + KeyHead.Bytes];
        nint token = 0;
        var cursor = new TableCursor(table);
        fixed (byte* address = buffer)
        {
            for (var on = cursor.SeekFirst(); on; on = cursor.MoveNext())
            {
                var length = cursor.CopyKeyTo(address, ref token);
                Holds(length is >= 1 and <= ushort.MaxValue, "a key of a key's length");
                Holds(buffer.AsSpan(0, length).SequenceEqual(KeyOf(cursor)), "one key from both ways to copy it");
                Holds(cursor.Head8 == KeyHead.Of(buffer.AsSpan(0, length)), "a head that is the key's");
                Touch(cursor.Row);
            }
        }
    }

    private static void WalkLeases(Table table)
    {
        var leases = table.Leases(0, ulong.MaxValue);
        while (leases.MoveNext())
        {
            var key = new byte[leases.KeyLength];
            leases.CopyKeyTo(key);
            Holds(leases.Row.Deadline == leases.Deadline, "a lease with its row's deadline");
            Touch(leases.Row);
        }
    }

    private static byte[] KeyOf(in TableCursor cursor)
    {
        var key = new byte[cursor.KeyLength];
        cursor.CopyKeyTo(key);
        return key;
    }

    /// <summary>Reads every byte of a value: one out of bounds ends the process.</summary>
    private static void Touch(KeyVersion row)
    {
        ulong sum = 0;
        foreach (var b in row.Value) sum += b;
        GC.KeepAlive(sum);
    }

    private static void Guarded(Action read)
    {
        try
        {
            read();
        }
        catch (VarveException e) when (e is CorruptionException or UnsupportedFormatException)
        {
            // The documented answer.
        }
    }
}
