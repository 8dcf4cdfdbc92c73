using Varve;
using Varve.Samples.Backup;

// Usage: backup fill DIRECTORY N          applies N more entries
//        backup create DIRECTORY TARGET   makes a backup below TARGET and prints its path, also beside a running engine
//        backup restore BACKUP DIRECTORY  replaces the state of a database by a backup, or creates it
//        backup show DIRECTORY            prints position and number of keys

try
{
    switch (args)
    {
        case ["fill", var directory, var count]:
            await Fill(directory, int.Parse(count));
            return 0;
        case ["create", var directory, var target]:
            Console.WriteLine(await Create(directory, target));
            return 0;
        case ["restore", var backup, var directory]:
            await Restore(backup, directory);
            return 0;
        case ["show", var directory]:
            Show(directory);
            return 0;
        default:
            Console.Error.WriteLine("usage: backup fill|create|restore|show ...");
            return 1;
    }
}
catch (Exception failure) when (failure is FormatException or IOException or EngineFaultedException)
{
    Console.Error.WriteLine(failure.Message);
    return 2;
}

static async Task Fill(string directory, int count)
{
    await using var engine = LsmStateMachine.Open(directory);
    var next = engine.LastApplied.Index + 1;
    await engine.ApplyChunkAsync(Enumerable.Range(0, count).Select(i => new ApplyEntry(
        next + (ulong)i, Term: 1, Command.Insert($"key/{next + (ulong)i}", $"value {i}"))).ToArray());
}

static async Task<string> Create(string directory, string target)
{
    await using var engine = LsmStateMachine.Open(directory, new EngineOptions { ReadOnly = true });
    LogId cut = engine.LastApplied;
    string temporary = Path.Combine(target, $"unfinished-{Guid.NewGuid():n}");
    var checksum = await engine.GenerateSnapshotDataAsync(temporary, cut);
    string backup = Path.Combine(target, BackupName.Of(new SnapshotMetadata(cut, checksum)));
    Directory.Move(temporary, backup);
    return backup;
}

static async Task Restore(string backup, string directory)
{
    SnapshotMetadata metadata = BackupName.Parse(backup);
    await using var engine = LsmStateMachine.Open(directory);
    await engine.ApplySnapshotFromFileAsync(metadata, backup);
}

static void Show(string directory)
{
    using var engine = LsmStateMachine.Open(directory, new EngineOptions { ReadOnly = true });
    Console.WriteLine($"{engine.LastApplied}, {engine.Count} keys");
}
