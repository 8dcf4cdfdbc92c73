using System.Buffers;
using System.Formats.Tar;

namespace Varve.Samples.Replica;

/// <summary>The state of one member of a Raft group: a method for each callback of a Raft library.</summary>
internal sealed class ReplicaState(LsmStateMachine engine)
{
    /// <summary>All members of a group need the same values of these two options.</summary>
    public static EngineOptions Options => new()
    {
        LeaseClock = LeaseClock.Log,
        InvalidCommands = InvalidCommands.Refuse,
    };

    /// <summary>The first entry that the library has to hand over after a start.</summary>
    public ulong NextIndex => engine.LastApplied.Index + 1;

    /// <summary>Entries up to this one may be removed from the log.</summary>
    public ulong CompactLogTo =>
        Math.Min(engine.SnapshotMetadata?.LastIncluded.Index ?? 0, engine.DurableLogId.Index);

    /// <summary>On the leader, before a proposal: the payload of a command.</summary>
    /// <exception cref="ArgumentException">No member would accept the command.</exception>
    public static byte[] Encode(Command command)
    {
        if (!command.TryValidate(out var problem)) throw new ArgumentException(problem, nameof(command));
        var payload = new ArrayBufferWriter<byte>();
        command.WriteTo(payload);
        return payload.WrittenSpan.ToArray();
    }

    /// <summary>When entries are committed: applies them, all or none.</summary>
    public async Task<ApplyResult[]> ApplyAsync(IReadOnlyList<LogEntry> committed)
    {
        var chunk = new ApplyEntry[committed.Count];
        for (var i = 0; i < chunk.Length; i++)
        {
            var entry = committed[i];
            if (!Command.TryParse(entry.Payload, out var command))
                throw new InvalidDataException($"Entry {entry.Index} holds no command that this version knows.");
            chunk[i] = new ApplyEntry(entry.Index, entry.Term, command, entry.TimestampMs);
        }

        return await engine.ApplyChunkAsync(chunk);
    }

    /// <summary>When the log has grown: makes a snapshot. Applies continue meanwhile.</summary>
    public async Task<SnapshotMetadata> MakeSnapshotAsync(string directory)
    {
        LogId cut = engine.LastApplied;
        ReadOnlyMemory<byte> checksum = await engine.GenerateSnapshotDataAsync(directory, cut);
        return new SnapshotMetadata(cut, checksum);
    }

    /// <summary>When a follower is too far behind: sends a snapshot as one stream.</summary>
    public static Task SendSnapshotAsync(string directory, Stream destination) =>
        TarFile.CreateFromDirectoryAsync(directory, destination, includeBaseDirectory: false);

    /// <summary>On that follower: receives a snapshot and installs it.</summary>
    /// <exception cref="SnapshotRejectedException">It is damaged or not the announced one; nothing changed.</exception>
    public async Task InstallSnapshotAsync(SnapshotMetadata announced, Stream source, string scratch)
    {
        Directory.CreateDirectory(scratch);
        try
        {
            await TarFile.ExtractToDirectoryAsync(source, scratch, overwriteFiles: false);
            await engine.ApplySnapshotFromFileAsync(announced, scratch);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }
}
