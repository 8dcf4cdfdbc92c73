namespace Varve.Tests.Conformance.Traces;

internal sealed partial class TraceRun
{
    private delegate Task Install(
        SnapshotMetadata ofSubject, string subjectPath, SnapshotMetadata ofModel, string modelPath);

    /// <summary>Cuts both up to 49 entries behind the last one, and then perhaps installs.</summary>
    private async Task SnapshotAsync(int back, Install? install)
    {
        CatchUp();
        var index = _model.LastApplied.Index - Math.Min(_model.LastApplied.Index, (ulong)back % 50);
        while (index > 0 && _model.EntryTerm(index) is null)
            index--;
        if (index == 0 && _model.LastApplied.Index > 0) return;
        var at = index == 0 ? default : new LogId(index, _model.EntryTerm(index)!.Value);

        var path = Path.Combine(_root, $"snapshot{++_names}");
        ReadOnlyMemory<byte> checksum;
        try
        {
            checksum = await _subject.GenerateSnapshotDataAsync(path, at);
        }
        catch (ArgumentException) when (index < _cutFloor)
        {
            return;
        }
        var modelPath = path + ".model";
        var modelChecksum = await _model.GenerateSnapshotDataAsync(modelPath, at);
        _termFloor = Math.Max(_termFloor, index);
        if (install is not null)
            await install(new SnapshotMetadata(at, checksum), path, new SnapshotMetadata(at, modelChecksum), modelPath);
        Directory.Delete(path, recursive: true);
        Directory.Delete(modelPath, recursive: true);
    }

    private async Task InstallSelfAsync(
        SnapshotMetadata ofSubject, string subjectPath, SnapshotMetadata ofModel, string modelPath)
    {
        var expected = await Xunit.Record.ExceptionAsync(() => _model.ApplySnapshotFromFileAsync(ofModel, modelPath));
        var actual = await Xunit.Record.ExceptionAsync(
            () => _subject.ApplySnapshotFromFileAsync(ofSubject, subjectPath));
        Assert.Equal(expected?.GetType(), actual?.GetType());
        if (expected is not null) return;
        var index = ofSubject.LastIncluded.Index;
        (_outcomeFloor, _cutFloor, _termFloor) = (index, index, index);
    }

    private async Task InstallOtherAsync(
        SnapshotMetadata ofSubject, string subjectPath, SnapshotMetadata ofModel, string modelPath)
    {
        var name = $"other{++_names}";
        var other = _subjects.Open(Path.Combine(_root, name), _options);
        var otherModel = _models.Open(name, _options);
        try
        {
            await other.ApplyChunkAsync(
                new[] { new ApplyEntry(1, 0, Command.Insert("gone"u8.ToArray(), "after install"u8.ToArray())) });
            var failure = await Xunit.Record.ExceptionAsync(
                () => other.ApplySnapshotFromFileAsync(ofSubject, subjectPath));
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
            other = _subjects.Open(Path.Combine(_root, name), _options);
            Same(other, otherModel);
        }
        finally
        {
            await other.DisposeAsync();
            await otherModel.DisposeAsync();
        }
        if (Directory.Exists(Path.Combine(_root, name))) Directory.Delete(Path.Combine(_root, name), recursive: true);
    }
}
