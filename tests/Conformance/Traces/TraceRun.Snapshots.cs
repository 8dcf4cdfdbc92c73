namespace Varve.Tests.Conformance.Traces;

internal sealed partial class TraceRun
{
    private delegate Task Install(SnapshotMetadata ofSubject, string subjectPath, SnapshotMetadata ofModel, string modelPath);

    /// <summary>Cuts both up to 49 entries behind the last one, and then perhaps installs.</summary>
    private async Task SnapshotAsync(int back, Install? install)
    {
        CatchUp();
        ulong index = model.LastApplied.Index - Math.Min(model.LastApplied.Index, (ulong)back % 50);
        while (index > 0 && model.EntryTerm(index) is null)
            index--;
        if (index == 0 && model.LastApplied.Index > 0)
            return;
        var at = index == 0 ? default : new LogId(index, model.EntryTerm(index)!.Value);

        string path = Path.Combine(root, $"snapshot{++names}");
        ReadOnlyMemory<byte> checksum;
        try
        {
            checksum = await subject.GenerateSnapshotDataAsync(path, at);
        }
        catch (ArgumentException) when (index < cutFloor)
        {
            return;
        }
        string modelPath = path + ".model";
        var modelChecksum = await model.GenerateSnapshotDataAsync(modelPath, at);
        termFloor = Math.Max(termFloor, index);
        if (install is not null)
            await install(new SnapshotMetadata(at, checksum), path, new SnapshotMetadata(at, modelChecksum), modelPath);
        Directory.Delete(path, recursive: true);
        Directory.Delete(modelPath, recursive: true);
    }

    private async Task InstallSelfAsync(SnapshotMetadata ofSubject, string subjectPath, SnapshotMetadata ofModel, string modelPath)
    {
        var expected = await Xunit.Record.ExceptionAsync(() => model.ApplySnapshotFromFileAsync(ofModel, modelPath));
        var actual = await Xunit.Record.ExceptionAsync(() => subject.ApplySnapshotFromFileAsync(ofSubject, subjectPath));
        Assert.Equal(expected?.GetType(), actual?.GetType());
        if (expected is not null)
            return;
        ulong index = ofSubject.LastIncluded.Index;
        (outcomeFloor, cutFloor, termFloor) = (index, index, index);
    }

    private async Task InstallOtherAsync(SnapshotMetadata ofSubject, string subjectPath, SnapshotMetadata ofModel, string modelPath)
    {
        string name = $"other{++names}";
        var other = subjects.Open(Path.Combine(root, name), options);
        var otherModel = models.Open(name, options);
        try
        {
            await other.ApplyChunkAsync(new[] { new ApplyEntry(1, 0, Command.Insert("gone"u8.ToArray(), "after install"u8.ToArray())) });
            var failure = await Xunit.Record.ExceptionAsync(() => other.ApplySnapshotFromFileAsync(ofSubject, subjectPath));
            if (ofSubject.LastIncluded.Index < 1)
            {
                Assert.IsType<SnapshotRejectedException>(failure);
                return;
            }
            Assert.Null(failure);
            await otherModel.ApplySnapshotFromFileAsync(ofModel, modelPath);
            Same(other, otherModel);
            Assert.Equal(ofSubject.LastIncluded.Term, other.EntryTerm(ofSubject.LastIncluded.Index));
            await other.DisposeAsync();
            other = subjects.Open(Path.Combine(root, name), options);
            Same(other, otherModel);
        }
        finally
        {
            await other.DisposeAsync();
            await otherModel.DisposeAsync();
        }
        if (Directory.Exists(Path.Combine(root, name)))
            Directory.Delete(Path.Combine(root, name), recursive: true);
    }
}
