using Varve.Tests.Crash.Child;
using Varve.Tests.Crash.Children;
using Varve.Tests.Shared;

namespace Varve.Tests.Crash.Beside;

/// <summary>
/// <c>view-over-reopen --rounds N [--dir D]</c>: an engine is closed with views open, and the next engines open the
/// directory, write, compact and reset. Every view keeps its content.
/// </summary>
internal static class ViewLoop
{
    public static Task RunAsync(Soak soak)
    {
        var rounds = soak.Number("rounds", 100);
        using var room = new CrashDirectory(soak.Text("dir", Path.GetTempPath()));
        var random = new Random((int)(soak.Seed & int.MaxValue));
        var directory = Path.Combine(room.Path, "db");
        long reads = 0;
        for (var round = 0L; round < rounds; round++)
        {
            reads += Round(directory, soak.Seed, random);
            soak.Progress(() => $"{round:N0} rounds, {reads:N0} reads checked");
        }

        soak.Write($"{rounds:N0} views over {rounds * 2:N0} reopens, {reads:N0} reads checked");
        return Task.CompletedTask;
    }

    private static long Round(string directory, ulong seed, Random random)
    {
        var options = KillChild.Options(nameof(Durability.Process));
        var engine = LsmStateMachine.Open(directory, options);
        Apply(engine, seed, random.Next(1, 200));
        if (random.Next(2) == 0) engine.CompactAsync().GetAwaiter().GetResult();
        Apply(engine, seed, random.Next(20));
        using var view = engine.OpenView();
        var before = Dump(view);
        engine.Dispose();
        long reads = 0;
        for (var life = 0; life < 2; life++)
        {
            using var next = LsmStateMachine.Open(directory, options);
            Apply(next, seed, random.Next(1, 200));
            if (random.Next(2) == 0) next.CompactAsync().GetAwaiter().GetResult();
            if (random.Next(6) == 0) next.ResetAsync().GetAwaiter().GetResult();
            Apply(next, seed, random.Next(1, 100));
            reads += Compare(view, before);
        }

        return reads + Compare(view, before);
    }

    private static long Compare(ReadView view, List<(byte[] Key, byte[] Value)> before)
    {
        var at = 0;
        foreach (var entry in view.ScanPrefix([]))
        {
            if (at == before.Count || !entry.Key.SequenceEqual(before[at].Key)
                || !entry.Value.SequenceEqual(before[at].Value))
                throw new ForbiddenStateException($"Row {at} of a view at {view.Revision} has changed");
            at++;
        }

        if (at != before.Count)
            throw new ForbiddenStateException($"A view at {view.Revision} has {at} rows of {before.Count}");
        foreach (var (key, value) in before)
            if (!view.TryGet(key, out var found) || !found.SequenceEqual(value))
                throw new ForbiddenStateException($"A key of a view at {view.Revision} has changed");
        return 2L * before.Count;
    }

    private static List<(byte[] Key, byte[] Value)> Dump(ReadView view)
    {
        var rows = new List<(byte[] Key, byte[] Value)>();
        foreach (var entry in view.ScanPrefix([])) rows.Add((entry.Key.ToArray(), entry.Value.ToArray()));
        return rows;
    }

    private static void Apply(LsmStateMachine engine, ulong seed, int chunks)
    {
        var results = new ApplyResult[64];
        for (; chunks > 0; chunks--)
            SeededLog.Apply(engine, SeededLog.ChunkFrom(seed, engine.LastApplied.Index + 1), results);
    }
}
