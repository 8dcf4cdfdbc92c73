using Varve.Tests.Conformance.Known;

namespace Varve.Tests.Conformance.Traces;

internal sealed partial class TraceRun
{
    /// <summary>
    /// A chunk of B entries made from seed A, after some duplicates, on the path that C names. A negative B: of as
    /// many, with conditional deletes and renewals among them.
    /// </summary>
    private async Task ApplyAsync(Operation operation)
    {
        var random = new Random(operation.A);
        var overlap = operation.C % 4 == 0 ? random.Next(1, 12) : 0;
        var duplicates = _applied.Values.Reverse().Take(overlap).Select(pair => pair.Entry).Reverse().ToList();
        var gaps = _options.LogGaps == LogGapPolicy.Allow && random.Next(3) == 0;
        var fresh = Fresh(random, Math.Abs(operation.B), gaps, isConditional: operation.B < 0);
        var chunk = (ApplyEntry[])[.. duplicates, .. fresh];

        if (duplicates.Count > 0 && duplicates[0].Index <= _outcomeFloor)
        {
            var failure = await Xunit.Record.ExceptionAsync(() => ApplyToSubjectAsync(chunk, operation.C));
            if (failure is DuplicateEntryException) return;
            Assert.Null(failure);
            await RememberAsync(fresh);
            return;
        }

        var actual = await ApplyToSubjectAsync(chunk, operation.C);
        await RememberAsync(fresh);
        Assert.Equal(
            chunk.Select(entry => (entry.Index, _applied[entry.Index].Status)),
            actual.Select(result => (result.Index, result.Status)));
    }

    private async Task RememberAsync(List<ApplyEntry> fresh)
    {
        var results = await _model.ApplyChunkAsync(fresh.ToArray());
        for (var i = 0; i < fresh.Count; i++)
            _applied[fresh[i].Index] = (fresh[i], results[i].Status);
    }

    private async Task<ApplyResult[]> ApplyToSubjectAsync(ApplyEntry[] chunk, int path)
    {
        if (_subject is not LsmStateMachine engine) return await _subject.ApplyChunkAsync(chunk);
        var results = new ApplyResult[chunk.Length];
        switch (path % 5)
        {
            case 0:
                engine.ApplyChunk(chunk, results);
                break;
            case 1:
                Assert.Equal(chunk.Length, engine.ApplyChunk(WireChunk.Encode(chunk).AsSpan(), results));
                break;
            case 2:
                var random = new Random(path);
                Assert.Equal(
                    chunk.Length,
                    engine.ApplyChunk(Segmented.Of(WireChunk.Encode(chunk), () => random.Next(0, 50)), results));
                break;
            default:
                return await engine.ApplyChunkAsync(chunk);
        }
        return results;
    }

    /// <summary>A chunk that breaks one rule, refused by both and changing nothing.</summary>
    private async Task ApplyBadAsync(Operation operation)
    {
        var random = new Random(operation.A);
        var chunk = Fresh(random, Math.Max(2, operation.B), gaps: false);
        var at = random.Next(1, chunk.Count);
        var victim = chunk[at];
        // A machine that refuses single commands does not throw for these, so they are not errors there.
        chunk[at] = (RefusesCommands ? operation.C % 3 : operation.C % 6) switch
        {
            0 when _options.LogGaps == LogGapPolicy.Reject => victim with { Index = chunk[^1].Index + 3 },
            1 => victim with { Index = chunk[at - 1].Index },
            2 when chunk[at - 1].Term > 0 => victim with { Term = chunk[at - 1].Term - 1 },
            _ when RefusesCommands => victim with { Index = chunk[at - 1].Index },
            3 => victim with { Command = Command.Insert(new byte[65_536], new byte[1]) },
            4 => victim with { Command = Command.Delete(default) },
            _ => victim with { Command = Command.Insert(default, new byte[1]) },
        };
        var bad = chunk.ToArray();
        var expected = await Xunit.Record.ExceptionAsync(async () => await _model.ApplyChunkAsync(bad));
        var actual = await Xunit.Record.ExceptionAsync(() => ApplyToSubjectAsync(bad, operation.C / 6));
        Assert.NotNull(expected);
        Assert.Equal(expected is ArgumentException, actual is ArgumentException);
        if (expected is LogGapException gap)
        {
            var other = Assert.IsType<LogGapException>(actual);
            // Which of several indexes is named first is the machine's choice within a chunk that was reordered.
            Assert.Equal(gap.ExpectedIndex, other.ExpectedIndex);
        }
    }

    private List<ApplyEntry> Fresh(Random random, int count, bool gaps, bool isConditional = false)
    {
        var (index, term) = _model.LastApplied;
        term = Math.Max(term, 1);
        var chunk = new List<ApplyEntry>();
        var written = new Dictionary<int, byte[]>();
        for (var i = 0; i < count; i++)
        {
            index += 1 + (gaps && random.Next(5) == 0 ? (ulong)random.Next(1, 20) : 0);
            term += random.Next(10) == 0 ? 1UL : 0;
            var command = isConditional && random.Next(3) == 0
                ? NextConditional(random, written)
                : NextCommand(random, written);
            chunk.Add(new ApplyEntry(index, term, command, Timestamp(random)));
        }
        return chunk;
    }

    private Command NextConditional(Random random, Dictionary<int, byte[]> written)
    {
        var number = random.Next(Universe.Keys);
        var key = Universe.Key(number);
        if (random.Next(2) == 0) return Command.Renew(key, (ulong)random.Next(0, 9));
        var expected = random.Next(4) switch
        {
            0 => Universe.Value(random),
            _ => written.TryGetValue(number, out var earlier) ? earlier : _model.Get(key) ?? [],
        };
        return Command.CompareAndDelete(key, expected);
    }

    private ulong Timestamp(Random random) => random.Next(8) switch
    {
        0 => 0,
        1 => _logTime - Math.Min(_logTime, (ulong)random.Next(2_000)),
        2 => _logTime += (ulong)random.Next(2_000),
        _ => _logTime,
    };

    private bool RefusesCommands => _options.InvalidCommands == InvalidCommands.Refuse;

    private Command NextCommand(Random random, Dictionary<int, byte[]> written)
    {
        if (RefusesCommands && random.Next(25) == 0)
        {
            return random.Next(3) switch
            {
                0 => Command.Insert(default, new byte[9]),
                1 => Command.Delete(new byte[65_536]),
                _ => Command.CompareAndSwap(default, (byte[]?)null, new byte[1]),
            };
        }

        var number = random.Next(Universe.Keys);
        var key = Universe.Key(number);
        var value = Universe.Value(random);
        switch (random.Next(20))
        {
            case 0:
                return Command.Noop;
            case < 4:
                return Command.Delete(key);
            case < 9:
                byte[]? expected = random.Next(4) switch
                {
                    0 => null,
                    1 => Universe.Value(random),
                    _ => written.TryGetValue(number, out var earlier) ? earlier : _model.Get(key),
                };
                written[number] = value;
                return Command.CompareAndSwap(
                    key, expected, value, RefusesCommands && random.Next(3) == 0 ? (ulong)random.Next(1, 9) : 0);
            case < 13:
                written[number] = value;
                return Command.Insert(key, value, random.Next(8) == 0 ? ulong.MaxValue : (ulong)random.Next(1, 9));
            default:
                written[number] = value;
                return Command.Insert(key, value);
        }
    }
}
