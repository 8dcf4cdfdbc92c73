using Varve;
using Varve.Samples.Replica;

// Usage: replica DIRECTORY    plays a Raft library for two members; their data goes below the directory, which is empty

var (leaderDirectory, followerDirectory) = (Path.Combine(args[0], "leader"), Path.Combine(args[0], "follower"));
const ulong Start = 1_700_000_000_000;

List<LogEntry> log =
[
    new(1, 1, Start, []), // the library's own entry: a new leader's first
    new(2, 1, Start + 10, ReplicaState.Encode(Command.Insert("owner", "ada"))),
    new(3, 1, Start + 20, ReplicaState.Encode(Command.CompareAndSwap("owner", "grace", "joan"))),
    new(4, 1, Start + 30, WithoutCheck(Command.Insert(new byte[70_000], "a key that is too long"u8.ToArray()))),
    new(5, 1, Start + 40, ReplicaState.Encode(Command.Insert("session", "7", ttlSeconds: 5))),
];

ApplyResult[] first;
await using (var engine = LsmStateMachine.Open(leaderDirectory, ReplicaState.Options))
{
    first = await new ReplicaState(engine).ApplyAsync(log);
    foreach (var result in first) Console.WriteLine($"entry {result.Index}: {result.Status}");
}

await using var leading = LsmStateMachine.Open(leaderDirectory, ReplicaState.Options);
await using var following = LsmStateMachine.Open(followerDirectory, ReplicaState.Options);
var (leader, follower) = (new ReplicaState(leading), new ReplicaState(following));

Console.WriteLine($"after a restart the next entry is {leader.NextIndex}");
var again = await leader.ApplyAsync(log[1..]);
Console.WriteLine($"a replay of 2 to 5 has the first outcomes: {again.SequenceEqual(first[1..])}");

await follower.ApplyAsync(log[..3]);
var snapshot = await leader.MakeSnapshotAsync(Path.Combine(args[0], "snapshot"));
log.RemoveAll(entry => entry.Index <= leader.CompactLogTo);
Console.WriteLine($"snapshot at {snapshot.LastIncluded.Index}, entries left in the log: {log.Count}");

using (var stream = new MemoryStream())
{
    await ReplicaState.SendSnapshotAsync(Path.Combine(args[0], "snapshot"), stream);
    stream.Position = 0;
    await follower.InstallSnapshotAsync(snapshot, stream, Path.Combine(args[0], "received"));
}

Console.WriteLine($"the follower needs {follower.NextIndex} next; owner: {following.GetString("owner")}, "
    + $"session: {following.GetString("session")}");

log.Add(new(6, 2, Start + 6_000, [])); // a new leader's first entry, six seconds later
await leader.ApplyAsync(log);
await follower.ApplyAsync(log);
Console.WriteLine($"the session has expired on both: "
    + $"{leading.GetString("session") is null && following.GetString("session") is null}");
Console.WriteLine($"the term of entry 5 on the follower: {following.EntryTerm(5)}");

await using (var engine = LsmStateMachine.Open(Path.Combine(args[0], "batching"), ReplicaState.Options))
    new BatchingReplica(engine).Apply(1, 1, Start, [Command.Insert("a", "1"), Command.Insert("b", "2")]);
await using (var engine = LsmStateMachine.Open(Path.Combine(args[0], "batching"), ReplicaState.Options))
{
    var batching = new BatchingReplica(engine);
    batching.Apply(1, 1, Start, [Command.Insert("a", "1"), Command.Insert("b", "2")]);
    batching.Apply(2, 1, Start + 10, []);
    Console.WriteLine($"outer entry {batching.LastOuter}, command {engine.LastApplied.Index}");
}

static byte[] WithoutCheck(Command command)
{
    var payload = new System.Buffers.ArrayBufferWriter<byte>();
    command.WriteTo(payload);
    return payload.WrittenSpan.ToArray();
}
