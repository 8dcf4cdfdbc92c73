using Varve.Background;
using Varve.Reading;
using Varve.Runtime;

namespace Varve.Snapshots;

/// <summary>
/// Installs snapshots, at once or in two steps, and resets. A call is checked on the caller's thread, which also reads
/// the user's clock; the work is one of <see cref="LongRunningTasks"/>, so a close ends it. An install at once is a
/// staging and an install, without the object between. Any thread.
/// </summary>
internal sealed class InstallService(
    EngineContext engine, ReadSessions sessions, StateReplacement replacement, LongRunningTasks tasks)
{
    /// <inheritdoc cref="LsmStateMachine.ApplySnapshotFromFileAsync"/>
    public async Task InstallAsync(SnapshotMetadata metadata, string snapshotPath, CancellationToken cancellationToken)
    {
        var path = BeginInstall(ref metadata, snapshotPath);
        await tasks.Run(
            token =>
            {
                replacement.Install(metadata, path, token);
                return Task.FromResult(true);
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="LsmStateMachine.StageSnapshotAsync"/>
    public Task<StagedSnapshot> StageAsync(
        SnapshotMetadata metadata, string snapshotPath, CancellationToken cancellationToken)
    {
        var path = BeginInstall(ref metadata, snapshotPath);
        return tasks.Run(
            token =>
            {
                var state = replacement.Stage(metadata, path, token);
                var staged = new StagedSnapshot(state, replacement, tasks, engine.Clock);
                tasks.Keep(staged.DeleteCopies);
                return Task.FromResult(staged);
            },
            cancellationToken);
    }

    /// <summary>
    /// Checks what the caller asks for, on the caller's thread, and reads the caller's memory and clock once.
    /// </summary>
    private string BeginInstall(ref SnapshotMetadata metadata, string snapshotPath)
    {
        engine.State.EnsureMutable();
        SnapshotService.EnsureTerm(metadata.LastIncluded, nameof(metadata));
        metadata = metadata with { Checksum = metadata.Checksum.ToArray() };
        var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(snapshotPath));
        StateReplacement.RejectOlder(metadata, path, sessions.Position.Index);
        engine.Clock.ReadLocalIfUsed();
        return path;
    }

    /// <inheritdoc cref="LsmStateMachine.ResetAsync"/>
    public Task ResetAsync(CancellationToken cancellationToken)
    {
        engine.State.EnsureMutable();
        return tasks.Run(
            token =>
            {
                token.ThrowIfCancellationRequested();
                replacement.Reset();
                return Task.FromResult(true);
            },
            cancellationToken);
    }
}
