using System.IO.Pipelines;
using System.Text;

namespace Varve.Tests.Conformance.Surface;

/// <summary>Snapshots are made, described, packed, assembled, staged and installed.</summary>
public sealed class StagedSnapshotTests : MachineTest<EngineMachines>
{
    private LsmStateMachine Engine => (LsmStateMachine)Machine;

    [Fact]
    public async Task CreateWithoutIndexTakesAppliedOne()
    {
        await ApplyAsync(Put(1, "a", "1"), Put(2, "b", "2", term: 3));
        var made = await Engine.CreateSnapshotAsync(PathOf("s"));
        Assert.Equal(new LogId(2, 3), made.LastIncluded);
        Assert.Equal(made, Engine.SnapshotMetadata);
        var behind = await Engine.CreateSnapshotAsync(PathOf("behind"), new LogId(1, 1));
        Assert.Equal(new LogId(1, 1), behind.LastIncluded);
        Assert.Equal(made, SnapshotDirectory.Open(PathOf("s")).Metadata);
    }

    [Fact]
    public async Task StagingChangesNothingAndInstallEverything()
    {
        var snapshot = await SourceAsync("source", Put(1, "a", "source"), Put(2, "b", "2"));
        await ApplyAsync(Put(1, "a", "own"));
        await using var staged = await Engine.StageSnapshotAsync(snapshot, PathOf("source.s"));
        Assert.Equal(snapshot, staged.Metadata);
        Assert.Equal(("a=own", new LogId(1, 1)), (Scan(), Engine.LastApplied));
        Directory.Delete(PathOf("source.s"), recursive: true); // nothing of it is needed any more
        staged.Install();
        Assert.Equal(("a=source b=2", new LogId(2, 1), 2L), (Scan(), Engine.LastApplied, Engine.Count));
        Assert.Throws<InvalidOperationException>(staged.Install);
        await staged.DisposeAsync();
        await ReopenAsync();
        Assert.Equal("a=source b=2", Scan());
    }

    [Fact]
    public async Task EntriesAppliedMeanwhileRefuseInstall()
    {
        var snapshot = await SourceAsync("source", Put(1, "a", "source"), Put(2, "b", "2"));
        await using var staged = await Engine.StageSnapshotAsync(snapshot, PathOf("source.s"));
        await ApplyAsync(Put(1, "x", "1"), Put(2, "x", "2"), Put(3, "x", "3"));
        Assert.Throws<SnapshotRejectedException>(staged.Install);
        Assert.Equal(("x=3", new LogId(3, 1)), (Scan(), Engine.LastApplied));
        await Engine.ResetAsync();
        staged.Install(); // it stayed staged
        Assert.Equal("a=source b=2", Scan());
    }

    [Fact]
    public async Task OlderSnapshotIsNotStaged()
    {
        var snapshot = await SourceAsync("source", Put(1, "a", "source"));
        await ApplyAsync(Put(1, "x", "1"), Put(2, "x", "2"));
        await Assert.ThrowsAsync<SnapshotRejectedException>(
            () => Engine.StageSnapshotAsync(snapshot, PathOf("source.s")));
    }

    [Fact]
    public async Task SeveralAreStagedAtOnce()
    {
        var first = await SourceAsync("first", Put(1, "a", "first"));
        var second = await SourceAsync("second", Put(1, "a", "second"), Noop(2));
        await using var one = await Engine.StageSnapshotAsync(first, PathOf("first.s"));
        await using var two = await Engine.StageSnapshotAsync(second, PathOf("second.s"));
        one.Install();
        Assert.Equal("a=first", Scan());
        two.Install();
        Assert.Equal("a=second", Scan());
    }

    [Fact]
    public async Task LeasesThatExpireMeanwhileAreNotCounted()
    {
        var snapshot = await SourceAsync("source", Put(1, "a", "1"), Put(2, "lease", "2", ttl: 10));
        await using var staged = await Engine.StageSnapshotAsync(snapshot, PathOf("source.s"));
        Clock.Advance(TimeSpan.FromSeconds(20));
        staged.Install();
        Assert.Equal(("a=1", 1L), (Scan(), Engine.Count));
        Assert.Equal("lease", Encoding.UTF8.GetString(
            Assert.Single(await Engine.LeaseBackgroundCleanupAsync()).Span));
    }

    [Fact]
    public async Task DisposalDeletesCopies()
    {
        var snapshot = await SourceAsync("source", Put(1, "a", "source"));
        await ApplyAsync(Noop(1));
        var before = Tables();
        var staged = await Engine.StageSnapshotAsync(snapshot, PathOf("source.s"));
        Assert.True(Tables() > before);
        await staged.DisposeAsync();
        staged.Dispose();
        Assert.Equal(before, Tables());
        Assert.Throws<ObjectDisposedException>(staged.Install);
        Assert.Equal("", Scan());
    }

    [Fact]
    public async Task ClosingDeletesCopies()
    {
        var snapshot = await SourceAsync("source", Put(1, "a", "source"));
        await ApplyAsync(Noop(1));
        var before = Tables();
        var staged = await Engine.StageSnapshotAsync(snapshot, PathOf("source.s"));
        Engine.CloseStorage();
        Assert.Equal(before, Tables());
        Assert.Throws<ObjectDisposedException>(staged.Install);
        staged.Dispose();
        await ReopenAsync();
        Assert.Equal(("", new LogId(1, 1)), (Scan(), Engine.LastApplied));
    }

    [Fact]
    public async Task ViewsKeepOldStateOverInstall()
    {
        var snapshot = await SourceAsync("source", Put(1, "a", "source"), Noop(2));
        await ApplyAsync(Put(1, "a", "own"));
        await using var staged = await Engine.StageSnapshotAsync(snapshot, PathOf("source.s"));
        ReadThrough(staged);
        Assert.Equal("a=source", Scan());

        void ReadThrough(StagedSnapshot ready)
        {
            using var view = Engine.OpenView();
            ready.Install();
            Assert.True(view.TryGet("a"u8, out var value));
            Assert.Equal("own"u8, value);
        }
    }

    [Fact]
    public async Task DamagedSnapshotIsRefusedAndLeavesNothing()
    {
        var snapshot = await SourceAsync("source", Put(1, "a", "source"));
        await ApplyAsync(Noop(1));
        var table = Directory.GetFiles(PathOf("source.s"), "*.vtab").Single();
        Flip(table, 100);
        var before = Tables();
        await Assert.ThrowsAsync<SnapshotRejectedException>(
            () => Engine.StageSnapshotAsync(snapshot, PathOf("source.s")));
        Assert.Equal(before, Tables());
    }

    [Fact]
    public async Task DirectoryTellsItsContent()
    {
        await using var source = (LsmStateMachine)Open("source");
        source.ApplyChunk([Put(1, "a", "1")], new ApplyResult[1], "outer"u8);
        var metadata = await source.CreateSnapshotAsync(PathOf("s"));
        var opened = SnapshotDirectory.Open(PathOf("s"));
        var received = SnapshotDirectory.FromManifest(
            await File.ReadAllBytesAsync(Path.Combine(PathOf("s"), SnapshotDirectory.ManifestFileName)));
        foreach (var one in new[] { opened, received })
        {
            Assert.Equal(metadata, one.Metadata);
            var room = new byte[64];
            Assert.Equal("outer", Encoding.UTF8.GetString(room.AsSpan(0, one.ReadMark(room))));
            var file = Assert.Single(one.Files);
            var bytes = await File.ReadAllBytesAsync(Path.Combine(PathOf("s"), file.Name));
            Assert.Equal(bytes.Length, file.Length);
            Assert.Equal(System.IO.Hashing.XxHash128.Hash(bytes), file.Hash.ToArray());
        }

        Assert.Equal(opened.Files, received.Files);
        Assert.Throws<SnapshotRejectedException>(() => SnapshotDirectory.FromManifest([]));
        Assert.Throws<SnapshotRejectedException>(() => SnapshotDirectory.FromManifest("nonsense"u8));
        Assert.Throws<FileNotFoundException>(() => SnapshotDirectory.Open(PathOf("nowhere")));
    }

    [Fact]
    public async Task ReceiverAssemblesSnapshotOfLinksAndTransfers()
    {
        await ApplyAsync(Put(1, "a", "1"));
        await Engine.CompactAsync();
        await Engine.CreateSnapshotAsync(PathOf("old"));
        await using var receiver = (LsmStateMachine)Open("receiver");
        await receiver.ApplySnapshotFromFileAsync(Engine.SnapshotMetadata!, PathOf("old"));
        await ApplyAsync(Put(2, "b", "2"));
        var metadata = await Engine.CreateSnapshotAsync(PathOf("new"));

        Directory.CreateDirectory(PathOf("received"));
        var content = SnapshotDirectory.FromManifest(
            File.ReadAllBytes(Path.Combine(PathOf("new"), SnapshotDirectory.ManifestFileName)));
        var linked = 0;
        foreach (var file in content.Files)
        {
            var to = Path.Combine(PathOf("received"), file.Name);
            if (receiver.TryLinkSnapshotFile(file, to)) linked++;
            else File.Copy(Path.Combine(PathOf("new"), file.Name), to);
        }

        await File.WriteAllBytesAsync(
            Path.Combine(PathOf("received"), SnapshotDirectory.ManifestFileName), content.Manifest.ToArray());
        Assert.Equal((StorageOfTests.IsPosix ? 1 : 0, 2), (linked, content.Files.Count));
        await receiver.ApplySnapshotFromFileAsync(metadata, PathOf("received"));
        Assert.Equal("a=1 b=2", ScanOf(receiver));
    }

    [Fact]
    public async Task LinkNeedsLiveTableAndFreePath()
    {
        await ApplyAsync(Put(1, "a", "1"));
        await Engine.CompactAsync();
        await Engine.CreateSnapshotAsync(PathOf("s"));
        var file = SnapshotDirectory.Open(PathOf("s")).Files.Single();
        Assert.False(Engine.TryLinkSnapshotFile(file with { Hash = new byte[16] }, PathOf("none")));
        Assert.False(Engine.TryLinkSnapshotFile(file with { Length = file.Length + 1 }, PathOf("none")));
        Assert.False(File.Exists(PathOf("none")));
        Assert.Throws<ArgumentException>(() => Engine.TryLinkSnapshotFile(file with { Hash = new byte[3] }, "x"));
        Assert.Equal(StorageOfTests.IsPosix, Engine.TryLinkSnapshotFile(file, PathOf("link")));
        if (!StorageOfTests.IsPosix) return;
        Assert.Throws<IOException>(() => Engine.TryLinkSnapshotFile(file, PathOf("link")));
        // The engine's later tables are not written over the link.
        await ApplyAsync(Put(2, "a", "2"));
        await Engine.CompactAsync();
        await ApplyAsync(Put(3, "a", "3"));
        await Engine.CompactAsync();
        Assert.Equal(
            file.Hash.ToArray(), System.IO.Hashing.XxHash128.Hash(await File.ReadAllBytesAsync(PathOf("link"))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(777)]
    [InlineData(1 << 20)]
    public async Task PackIsUnpackedInPiecesOfAnySize(int piece)
    {
        var metadata = await SourceAsync(
            "source", Put(1, "a", new string('a', 70_000)), Put(2, "b", new string('b', 300_000)));
        var packed = await PackAsync(PathOf("source.s"));
        var pipe = PipeReader.Create(new PiecewiseStream([.. packed, 1, 2, 3], piece));
        await SnapshotPack.UnpackAsync(pipe, PathOf("unpacked"));
        var rest = await pipe.ReadAtLeastAsync(3);
        Assert.Equal([1, 2, 3], System.Buffers.BuffersExtensions.ToArray(rest.Buffer));
        await Engine.ApplySnapshotFromFileAsync(metadata, PathOf("unpacked"));
        Assert.Equal(2, Engine.Count);
    }

    [Fact]
    public async Task CutOrDamagedStreamLeavesNothing()
    {
        await SourceAsync("source", Put(1, "a", "1"));
        var packed = await PackAsync(PathOf("source.s"));
        for (var length = 0; length < packed.Length; length += 1 + packed.Length / 50)
        {
            var cut = PipeReader.Create(new MemoryStream(packed, 0, length));
            await Assert.ThrowsAsync<SnapshotRejectedException>(
                () => SnapshotPack.UnpackAsync(cut, PathOf("unpacked")));
        }

        for (var at = 0; at < packed.Length; at += 1 + packed.Length / 50)
        {
            var damaged = packed.ToArray();
            damaged[at] ^= 0x10;
            var failure = await Assert.ThrowsAnyAsync<IOException>(
                () => SnapshotPack.UnpackAsync(PipeReader.Create(new MemoryStream(damaged)), PathOf("unpacked")));
            Assert.True(failure is SnapshotRejectedException or UnsupportedFormatException, failure.ToString());
        }

        var names = Directory.GetFileSystemEntries(Root).Select(path => Path.GetFileName(path)).ToList();
        Assert.DoesNotContain("unpacked", names);
        Assert.DoesNotContain(names, name => name.StartsWith(".varve", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CancelledUnpackLeavesNothing()
    {
        var pipe = new Pipe();
        using var cancel = new CancellationTokenSource();
        var unpacking = SnapshotPack.UnpackAsync(pipe.Reader, PathOf("unpacked"), cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => unpacking);
        Assert.False(Directory.Exists(PathOf("unpacked")));
    }

    [Fact]
    public async Task ReceiverThatStopsEndsPacking()
    {
        await SourceAsync("source", Put(1, "a", new string('a', 3_000_000)));
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 64 << 10, resumeWriterThreshold: 32 << 10));
        var packing = SnapshotPack.PackAsync(PathOf("source.s"), pipe.Writer);
        Assert.False(packing.IsCompleted); // the reader sets the pace
        await pipe.Reader.CompleteAsync();
        await Assert.ThrowsAsync<IOException>(() => packing);
    }

    [Fact]
    public async Task ReceiverMayStopBehindLastByte()
    {
        await SourceAsync("source", Put(1, "a", "1"));
        var expected = await PackAsync(PathOf("source.s"));
        var receiver = new ReceiverOf(expected.Length);
        await SnapshotPack.PackAsync(PathOf("source.s"), receiver);
        Assert.Equal(expected, receiver.Received);
        await Assert.ThrowsAsync<IOException>(
            () => SnapshotPack.PackAsync(PathOf("source.s"), new ReceiverOf(expected.Length - 16)));
    }

    [Fact]
    public async Task LinkIntoMissingDirectoryNamesIt()
    {
        await ApplyAsync(Put(1, "a", "1"));
        await Engine.CreateSnapshotAsync(PathOf("s"));
        await Engine.CompactAsync();
        var file = SnapshotDirectory.Open(PathOf("s")).Files.Single();
        var failure = Assert.Throws<DirectoryNotFoundException>(
            () => Engine.TryLinkSnapshotFile(file, PathOf("nowhere/link")));
        Assert.Contains(PathOf("nowhere"), failure.Message, StringComparison.Ordinal);
    }

    private async Task<SnapshotMetadata> SourceAsync(string name, params ApplyEntry[] entries)
    {
        await using var source = (LsmStateMachine)Open(name);
        await source.ApplyChunkAsync(entries);
        return await source.CreateSnapshotAsync(PathOf($"{name}.s"));
    }

    private static async Task<byte[]> PackAsync(string directory)
    {
        var packed = new MemoryStream();
        var writer = PipeWriter.Create(packed, new StreamPipeWriterOptions(leaveOpen: true));
        await SnapshotPack.PackAsync(directory, writer);
        await writer.CompleteAsync();
        return packed.ToArray();
    }

    private int Tables() => Directory.GetFiles(PathOf("db"), "*.vtab").Length;

    private static void Flip(string path, int offset)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Position = offset;
        var value = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(value ^ 1));
    }

    /// <summary>A pipe whose receiver stops once so many bytes are written.</summary>
    private sealed class ReceiverOf(int length) : PipeWriter
    {
        private readonly System.Buffers.ArrayBufferWriter<byte> _written = new();

        public byte[] Received => _written.WrittenSpan.ToArray();

        public override void Advance(int bytes) => _written.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => _written.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => _written.GetSpan(sizeHint);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
            new(new FlushResult(isCanceled: false, isCompleted: _written.WrittenCount >= length));

        public override void CancelPendingFlush() => throw new NotSupportedException();

        public override void Complete(Exception? exception = null) => throw new NotSupportedException();
    }

    /// <summary>Gives at most so many bytes at a read.</summary>
    private sealed class PiecewiseStream(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, piece)], cancellationToken);
    }
}
