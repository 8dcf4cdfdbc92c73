using System.Security.Cryptography;

namespace Varve.Tests.Conformance.Model;

internal sealed partial class DictionaryStateMachine
{
    private const string FileName = "dictionary.snapshot";

    public Task<ReadOnlyMemory<byte>> GenerateSnapshotDataAsync(
        string newSnapshotDirectory, LogId lastIncluded, CancellationToken cancellationToken = default)
    {
        var image = Locked(() =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            CheckCut(lastIncluded);
            return DictionaryImage.Encode(_state.CutAt(lastIncluded));
        });
        if (Directory.Exists(newSnapshotDirectory))
        {
            if (Directory.EnumerateFileSystemEntries(newSnapshotDirectory).Any())
                throw new IOException($"{newSnapshotDirectory} is not empty");
            Directory.Delete(newSnapshotDirectory);
        }
        var half = newSnapshotDirectory + ".half";
        Directory.CreateDirectory(half);
        File.WriteAllBytes(Path.Combine(half, FileName), image);
        Directory.Move(half, newSnapshotDirectory);

        ReadOnlyMemory<byte> checksum = SHA256.HashData(image);
        UpdateLastSnapshotMetadata(new SnapshotMetadata(lastIncluded, checksum));
        return Task.FromResult(checksum);
    }

    private void CheckCut(LogId at)
    {
        if (at.Index > _state.LastApplied.Index)
            throw new ArgumentException($"Entry {at.Index} was not applied yet", nameof(at));
        if (at.Index < _state.HistoryFloor || _state.LastApplied.Index - at.Index > (ulong)options.HistoryEntries)
            throw new ArgumentOutOfRangeException(nameof(at), "History does not reach back that far");
        if (at.Index == 0 ? at.Term != 0 : !_state.Terms.TryGetValue(at.Index, out ulong term) || term != at.Term)
            throw new ArgumentException("That entry was not applied in that term", nameof(at));
    }

    public Task ApplySnapshotFromFileAsync(
        SnapshotMetadata metadata, string snapshotPath, CancellationToken cancellationToken = default)
    {
        var path = Directory.Exists(snapshotPath) ? Path.Combine(snapshotPath, FileName) : snapshotPath;
        Locked(() =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!File.Exists(path)) throw new SnapshotRejectedException(path, "it is not there");
            var image = File.ReadAllBytes(path);
            if (!metadata.Checksum.Span.SequenceEqual(SHA256.HashData(image)))
                throw new SnapshotRejectedException(path, "the checksum differs");
            if (!DictionaryImage.TryDecode(image, out var installed))
                throw new SnapshotRejectedException(path, "it is malformed");
            if (installed.LastApplied != metadata.LastIncluded)
                throw new SnapshotRejectedException(path, "it holds another position than announced");
            if (installed.LastApplied.Index < _state.LastApplied.Index)
                throw new SnapshotRejectedException(path, "it is older than the state");
            installed.Snapshot = new SnapshotMetadata(metadata.LastIncluded, metadata.Checksum.ToArray());
            _state = installed;
        });
        return Task.CompletedTask;
    }
}
