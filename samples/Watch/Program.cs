using Varve;
using Varve.Samples.Watch;

// Usage: watch DIRECTORY, of a new database

using var engine = LsmStateMachine.Open(args[0], new EngineOptions { LeaseClock = LeaseClock.Log });
var timeMs = 1_000UL;
Apply(Command.Insert("user/1", "Ada"));

var cache = new PrefixCache(engine, "user/");
var isSeen = new TaskCompletionSource();
cache.Changed = change =>
{
    Console.WriteLine($"{change.Index} {change.Kind} {change.Key.Span.ToText()}");
    if (change.Kind == ChangeKind.Expired) isSeen.SetResult();
};
using var end = new CancellationTokenSource();
var following = cache.FollowAsync(end.Token);

Apply(Command.Insert("user/2", "Grace", ttlSeconds: 10));
Apply(Command.Insert("order/1", "not a user"));
Apply(Command.Insert("user/1", "Ada Lovelace"));
timeMs += 10_000;
Apply(Command.Noop);
await engine.LeaseBackgroundCleanupAsync();

await isSeen.Task;
await end.CancelAsync();
try
{
    await following;
}
catch (OperationCanceledException)
{
    Console.WriteLine("the end");
}

foreach (var entry in cache.Entries) Console.WriteLine(entry);

// What happened since an index, again: a consumer that keeps the index of the last change goes on from there.
await foreach (var change in engine.ReadChangesAsync(fromIndex: 2))
{
    Console.WriteLine($"again {change.Index} {change.Kind} {change.Key.Span.ToText()}");
    if (change.Kind == ChangeKind.Expired) break;
}

void Apply(Command command) => engine.ApplyChunk(
    [new ApplyEntry(engine.LastApplied.Index + 1, 1, command, timeMs)], new ApplyResult[1]);
