using Varve.Background;
using Varve.Storage;

namespace Varve.Tests.Conformance.Surface;

/// <summary>
/// Views of closed engines and read-only engines, over a storage where a read of unmapped memory ends the process:
/// their data stays mapped and unchanged during anything that the next engine on the directory does.
/// </summary>
public sealed class SharedDirectoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("varve-shared-").FullName;
    private readonly ProtectedStorage _storage = new(Storages.Default);

    public void Dispose()
    {
        _storage.Release();
        Directory.Delete(_root, recursive: true);
    }

    [Theory]
    [InlineData(300, false)]
    [InlineData(3000, true)]
    public void ViewSurvivesReopens(int entries, bool areTables)
    {
        if (!ProtectedStorage.IsPossible) return;
        var engine = Open();
        Apply(engine, entries);
        if (areTables) Compact(engine);
        var view = engine.OpenView();
        var before = Dump(view);
        engine.Dispose();
        for (var life = 0; life < 3; life++)
        {
            using var next = Open();
            Rewrite(next);
            Assert.Equal(before, Dump(view));
        }

        view.Dispose();
    }

    [Fact]
    public void ReadOnlyEngineReadsThroughWriterActivity()
    {
        if (!ProtectedStorage.IsPossible) return;
        using var writer = Open();
        Apply(writer, 3000);
        using var reader = Open(isReader: true);
        var view = reader.OpenView();
        var before = Dump(view);
        for (var round = 0; round < 3; round++)
        {
            Rewrite(writer);
            using (var now = reader.OpenView()) Assert.Equal(round == 0, Dump(now).SequenceEqual(before));
            Assert.Equal(before, Dump(view));
            Assert.True(reader.TryCatchUp());
            Assert.Equal(writer.LastApplied, reader.LastApplied);
            Assert.Equal(writer.Count, reader.Count);
        }

        view.Dispose();
    }

    private static void Compact(LsmStateMachine engine) => engine.CompactAsync().GetAwaiter().GetResult();

    /// <summary>Overwrites and compacts, so that files are dropped and others made, twice.</summary>
    private static void Rewrite(LsmStateMachine engine)
    {
        for (var i = 0; i < 2; i++)
        {
            Apply(engine, 2000);
            engine.CompactAsync().GetAwaiter().GetResult();
        }
    }

    private static void Apply(LsmStateMachine engine, int entries)
    {
        var results = new ApplyResult[1];
        for (; entries > 0; entries--)
        {
            var index = engine.LastApplied.Index + 1;
            engine.ApplyChunk(
                [new ApplyEntry(index, 1, Command.Insert(
                    BitConverter.GetBytes(index % 211), (byte[])[.. BitConverter.GetBytes(index), .. new byte[100]]))],
                results);
        }
    }

    private static List<string> Dump(ReadView view)
    {
        var entries = new List<string>();
        foreach (var entry in view.ScanPrefix([]))
            entries.Add(Convert.ToHexString(entry.Key) + "=" + Convert.ToHexString(entry.Value));
        return entries;
    }

    private LsmStateMachine Open(bool isReader = false) =>
        LsmStateMachine.Open(Path.Combine(_root, "db"), new EngineOptions
        {
            ReadOnly = isReader,
            MemtableBytes = 64 << 10,
            TableBytes = 64 << 10,
            BlockBytes = 1024,
            HistoryEntries = 0,
            UpperRunsMax = 2,
        }, new EngineSeams(_storage));
}
