using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Xunit;

namespace Varve.Tests.Outside;

/// <summary>The additions to the contract, used with every argument that their signatures name.</summary>
public sealed class ContractCompiles : IDisposable
{
    private static readonly ReadOnlyMemory<byte> Key = "key"u8.ToArray();
    private static readonly ReadOnlyMemory<byte> Value = "value"u8.ToArray();

    private readonly string _root = Directory.CreateTempSubdirectory("varve-outside-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void CommandsHaveConditionsAndCodec()
    {
        ReadOnlyMemory<byte> expected = Value;
        byte[]? absent = null;
        Command[] all =
        [
            Command.InsertIfAbsent(key: Key, value: Value, ttlSeconds: 1),
            Command.CompareAndSwap(key: Key, expected: absent, value: Value, ttlSeconds: 1),
            Command.CompareAndSwap(key: Key, expected: expected, value: Value, ttlSeconds: 1),
            Command.CompareAndDelete(key: Key, expected: expected),
            Command.Renew(key: Key, ttlSeconds: 1),
        ];
        foreach (var command in all)
        {
            Assert.True(command.TryValidate(out string? problem));
            Assert.Null(problem);
            var bytes = new ArrayBufferWriter<byte>();
            command.WriteTo(bytes);
            Assert.True(Command.TryParse(bytes.WrittenSpan, out Command parsed));
            Assert.Equal(command, parsed);
        }

        ApplyStatus[] statuses = [ApplyStatus.Applied, ApplyStatus.ExpectationFailed, ApplyStatus.Refused];
        Assert.Equal([0, 1, 2], statuses.Select(status => (byte)status));
        var options = new EngineOptions();
        Assert.Equal(InvalidCommands.Throw, options.InvalidCommands);
        options.InvalidCommands = InvalidCommands.Refuse;
    }

    [Fact]
    public void MarksMoveWithChunks()
    {
        using var engine = LsmStateMachine.Open(PathOf("db"));
        var results = new ApplyResult[1];
        engine.ApplyChunk([new ApplyEntry(1, 1, Command.Insert(Key, Value))], results, "one"u8);
        var encoded = new ArrayBufferWriter<byte>();
        var writer = new ChunkWriter(encoded);
        writer.Add(new ApplyEntry(2, 1, Command.Delete(Key)));
        int count = engine.ApplyChunk(encoded.WrittenSpan, results, "two"u8);
        Assert.Equal(1, count);
        Span<byte> mark = stackalloc byte[64];
        int length = engine.ReadMark(mark);
        Assert.Equal("two", Encoding.UTF8.GetString(mark[..length]));
        using (var view = engine.OpenView()) Assert.Equal(length, view.ReadMark(mark));
        engine.ApplyChunk(ReadOnlySpan<byte>.Empty, results, "three"u8);
        Assert.Equal(5, engine.ReadMark(mark));
        bool isKnown = engine.TryGetOutcome(1, out ApplyResult outcome);
        Assert.True(isKnown && outcome.Status == ApplyStatus.Applied);
    }

    [Fact]
    public async Task SnapshotsAreCreatedDescribedPackedStagedAndLinked()
    {
        using var engine = LsmStateMachine.Open(PathOf("db"));
        await engine.ApplyChunkAsync(new[] { new ApplyEntry(1, 1, Command.Insert(Key, Value)) });
        SnapshotMetadata metadata = await engine.CreateSnapshotAsync(
            directory: PathOf("snapshot"), lastIncluded: engine.LastApplied, cancellationToken: default);
        await engine.CreateSnapshotAsync(PathOf("another"));

        SnapshotDirectory directory = SnapshotDirectory.Open(PathOf("snapshot"));
        Assert.Equal(metadata, directory.Metadata);
        Assert.Equal(0, directory.ReadMark(new byte[64]));
        Assert.Equal(metadata, SnapshotDirectory.FromManifest(directory.Manifest.Span).Metadata);
        IReadOnlyList<SnapshotFile> files = directory.Files;
        foreach (SnapshotFile file in files)
        {
            (string name, long bytes, ReadOnlyMemory<byte> hash) = file;
            Assert.True(name.Length > 0 && bytes > 0 && hash.Length > 0);
            bool isLinked = engine.TryLinkSnapshotFile(file, PathOf("linked-" + name));
            Assert.Equal(isLinked, File.Exists(PathOf("linked-" + name)));
        }

        var pipe = new Pipe();
        await Task.WhenAll(
            SnapshotPack.PackAsync(PathOf("snapshot"), pipe.Writer, CancellationToken.None),
            SnapshotPack.UnpackAsync(pipe.Reader, PathOf("unpacked"), CancellationToken.None));

        using var other = LsmStateMachine.Open(PathOf("other"));
        await using (StagedSnapshot staged = await other.StageSnapshotAsync(metadata, path: PathOf("unpacked")))
        {
            Assert.Equal(metadata, staged.Metadata);
            staged.Install();
        }

        Assert.Equal("value", other.GetString("key"));
    }

    [Fact]
    public async Task PagesSeeksDeadlinesAndChangesAreRead()
    {
        using var engine = LsmStateMachine.Open(PathOf("db"));
        await engine.ApplyChunkAsync(new[]
        {
            new ApplyEntry(1, 1, Command.Insert("a/1", "1", ttlSeconds: 1_000)),
            new ApplyEntry(2, 1, Command.Insert("a/2", "2")),
            new ApplyEntry(3, 1, Command.Insert("a/3", "3")),
        });
        var seen = new List<string>();
        ScanPage page;
        var after = ReadOnlyMemory<byte>.Empty;
        do
        {
            page = engine.ScanPage(prefix: "a/"u8, after: after.Span, limit: 2);
            Assert.Equal(3UL, page.Revision);
            foreach (KeyValueEntry entry in page.Entries) seen.Add(entry.GetKeyString());
            after = page.Continuation;
        }
        while (!after.IsEmpty);

        Assert.Equal(["a/1", "a/2", "a/3"], seen);
        ReadScan(engine);

        using var enough = new CancellationTokenSource();
        var indexes = new List<ulong>();
        IAsyncEnumerable<Change> changes = engine.ReadChangesAsync(
            fromIndex: 2, prefix: "a/"u8.ToArray(), cancellationToken: enough.Token);
        await foreach (Change change in changes)
        {
            (ulong index, ulong term, ChangeKind kind, ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value) = change;
            Assert.Equal((1UL, ChangeKind.Put, 3, 1), (term, kind, key.Length, value.Length));
            indexes.Add(index);
            if (indexes.Count == 2) break;
        }

        Assert.Equal([2UL, 3UL], indexes);
        Assert.Equal(
            [ChangeKind.Put, ChangeKind.Delete, ChangeKind.Expired],
            Enum.GetValues<ChangeKind>().Order());
        using var reader = LsmStateMachine.Open(PathOf("db"), new EngineOptions { ReadOnly = true });
        Assert.False(reader.TryCatchUp());
    }

    private static void ReadScan(LsmStateMachine engine)
    {
        using var view = engine.OpenView();
        ScanEnumerator scan = view.ScanPrefix("a/"u8);
        scan.Seek("a/2"u8);
        Assert.True(scan.MoveNext());
        EntryView current = scan.Current;
        ulong? none = current.LeaseDeadlineMs;
        Assert.Null(none);
        scan.Seek("a/1"u8);
        Assert.True(scan.MoveNext());
        Assert.NotNull(scan.Current.LeaseDeadlineMs);
        scan.Dispose();
        Assert.True(view.TryGet("a/1"u8, out ReadOnlySpan<byte> value, out ulong? deadline));
        Assert.True(value.Length == 1 && deadline is not null);
    }

    private string PathOf(string name) => Path.Combine(_root, name);
}
