namespace Varve.Tests.Conformance.Surface;

/// <summary>Commands expose their meaning, and errors use the caller's names.</summary>
public sealed class CommandTests : MachineTest<EngineMachines>
{
    private LsmStateMachine Engine => (LsmStateMachine)Machine;

    [Fact]
    public void NullIsAbsenceAndEmptyIsValue()
    {
        byte[]? none = null;
        Assert.Null(Command.CompareAndSwap(Bytes("k"), none, Bytes("v")).Expected);
        Assert.Null(Command.CompareAndSwap(Bytes("k"), null, Bytes("v")).Expected);
        Assert.Equal(0, Command.CompareAndSwap(Bytes("k"), Array.Empty<byte>(), Bytes("v")).Expected!.Value.Length);
        Assert.Equal(
            0, Command.CompareAndSwap(Bytes("k"), ReadOnlyMemory<byte>.Empty, Bytes("v")).Expected!.Value.Length);
        Assert.Equal(
            0, Command.CompareAndSwap(Bytes("k"), default(ReadOnlyMemory<byte>), Bytes("v"), 5).Expected!.Value.Length);
        Assert.Null(Command.CompareAndSwap(Bytes("k"), (ReadOnlyMemory<byte>?)null, Bytes("v")).Expected);
        Assert.Equal(5UL, Command.CompareAndSwap(Bytes("k"), none, Bytes("v"), ttlSeconds: 5).TtlSeconds);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SwapMayHaveLease(bool isWire)
    {
        ApplyEntry[] chunk = [
            new(1, 1, Command.CompareAndSwap(Bytes("k"), (byte[]?)null, Bytes("v"), ttlSeconds: 5)),
            Swap(2, "k", "v", "w"), Swap(3, "k", "w", "x")];
        var results = new ApplyResult[1];
        Send(chunk[0]);
        Assert.Equal("v", Get("k"));
        Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Null(Get("k"));
        Send(chunk[1]);
        Assert.Equal(ApplyStatus.ExpectationFailed, results[0].Status);
        Assert.Equal(0, Engine.Count);

        void Send(ApplyEntry entry)
        {
            if (isWire) Engine.ApplyChunk(WireChunk.Encode([entry]).AsSpan(), results);
            else Engine.ApplyChunk([entry], results);
        }
    }

    [Fact]
    public void TryValidateReportsEveryRefusalOfApply()
    {
        foreach (var good in new[] { Command.Noop, Command.Insert(Bytes("k"), default), Command.Delete(
            new byte[65_535]), Command.CompareAndSwap(Bytes("k"), (byte[]?)null, default) })
        {
            Assert.True(good.TryValidate(out var problem));
            Assert.Null(problem);
        }

        foreach (var bad in new[] { Command.Insert(default, Bytes("v")), Command.Delete(
            new byte[65_536]), Command.CompareAndSwap(default, (byte[]?)null, default) })
        {
            Assert.False(bad.TryValidate(out var problem));
            Assert.Contains($"{bad.Key.Length} bytes", problem, StringComparison.Ordinal);
            var thrown = Assert.Throws<ArgumentException>(
                () => Engine.ApplyChunk([new ApplyEntry(1, 1, bad)], new ApplyResult[1]));
            Assert.Contains(problem["The command has ".Length..], thrown.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ArgumentErrorsUsePublicNames()
    {
        AssertNamed(
            "chunk", () => Engine.ApplyChunk([Put(2, "a", "1"), Put(2, "a", "2")], new ApplyResult[2]),
            typeof(LogGapException));
        AssertNamed("chunk", () => Engine.ApplyChunk([Put(1, "a", "1"), Put(1, "a", "2")], new ApplyResult[2]));
        AssertNamed("encodedChunk", () => Engine.ApplyChunk(
            WireChunk.Encode([Put(1, "a", "1"), Put(1, "a", "2")]).AsSpan(), new ApplyResult[2]));
        AssertNamed(
            "encodedChunk", () => Engine.ApplyChunk(WireChunk.Encode([Put(1, "", "1")]).AsSpan(), new ApplyResult[2]));
        AssertNamed("encodedChunk", () => Engine.ApplyChunk(new byte[] { 9 }.AsSpan(), new ApplyResult[2]));
        AssertNamed("results", () => Engine.ApplyChunk([Put(1, "a", "1")], []));
        AssertNamed("chunk", () => Engine.ApplyChunk([Put(0, "a", "1")], new ApplyResult[1]));
        AssertNamed("options", () => LsmStateMachine.Open(PathOf("other"), new EngineOptions { UpperRunsMax = 99 }));
        AssertNamed(
            "options",
            () => LsmStateMachine.Open(PathOf("other"), new EngineOptions { InvalidCommands = (InvalidCommands)9 }));

        static void AssertNamed(string parameter, Action call, Type? other = null)
        {
            var failure = Xunit.Record.Exception(call);
            if (other is not null) Assert.IsType(other, failure);
            else Assert.Equal(parameter, Assert.IsAssignableFrom<ArgumentException>(failure).ParamName);
        }
    }

    [Fact]
    public void TryValidateFindsEveryRefusalOfOpen()
    {
        foreach (var bad in new[]
        {
            new EngineOptions { UpperRunsMax = 1, FilterBitsPerKey = 33 }, new EngineOptions { IdleAfter = default },
            new EngineOptions { BottomMergeRatio = double.NaN }, new EngineOptions { Durability = (Durability)3 },
            new EngineOptions { Durability = Durability.Interval, SyncInterval = TimeSpan.FromHours(2) },
            new EngineOptions { TimeProvider = null! },
        })
        {
            Assert.False(bad.TryValidate(out var problem));
            Assert.StartsWith("EngineOptions.", problem, StringComparison.Ordinal);
            var thrown = Assert.ThrowsAny<ArgumentException>(() => LsmStateMachine.Open(PathOf("other"), bad));
            Assert.StartsWith(problem, thrown.Message, StringComparison.Ordinal);
        }

        Assert.True(new EngineOptions().TryValidate(out var none), none);
        Assert.False(Directory.Exists(PathOf("other")));
    }

    [Fact]
    public void OptionsThatChangeAfterOpenHaveNoEffect()
    {
        var options = Options;
        using var machine = LsmStateMachine.Open(PathOf("copied"), options);
        (options.LogGaps, options.ReadOnly, options.HistoryEntries) = (LogGapPolicy.Allow, true, -1);
        Assert.Throws<LogGapException>(() => machine.ApplyChunk([Put(3, "a", "1")], new ApplyResult[1]));
        machine.ApplyChunk([Put(1, "a", "1")], new ApplyResult[1]);
        Assert.Equal(new LogId(1, 1), machine.LastApplied);
    }

    [Fact]
    public void SkippedIndexesAreNotReportedAsDuplicates()
    {
        Engine.ApplyChunk([Put(1, "a", "1")], new ApplyResult[1]);
        Engine.UpdateLastApplied(new LogId(10, 1));
        var zero = Assert.Throws<ArgumentException>(() => Engine.ApplyChunk([Put(0, "a", "1")], new ApplyResult[1]));
        Assert.Contains("index 0", zero.Message, StringComparison.Ordinal);
        AssertPassedOver(Engine, 5);
        AssertPassedOver(Engine, 10);
        using var gaps = LsmStateMachine.Open(PathOf("gaps"), Options with { LogGaps = LogGapPolicy.Allow });
        gaps.ApplyChunk([Put(3, "a", "1"), Put(9, "a", "2")], new ApplyResult[2]);
        AssertPassedOver(gaps, 6);

        static void AssertPassedOver(LsmStateMachine engine, ulong index)
        {
            var failure = Assert.Throws<DuplicateEntryException>(
                () => engine.ApplyChunk([Put(index, "a", "1")], new ApplyResult[1]));
            Assert.Equal(index, failure.Index);
            Assert.DoesNotContain("applied before", failure.Message, StringComparison.Ordinal);
            Assert.Contains("never applied", failure.Message, StringComparison.Ordinal);
        }
    }
}
