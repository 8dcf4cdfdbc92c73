using Varve;
using Varve.Samples.Locks;

// Usage: locks DIRECTORY, of a new database

var time = new ManualTime(DateTimeOffset.UnixEpoch.AddYears(50));
using var engine = LsmStateMachine.Open(args[0], new EngineOptions { LeaseClock = LeaseClock.Log });
var locks = new LockService(engine, time);
var report = new FencedFile();

await locks.JoinAsync("alice", ttlSeconds: 10);
await locks.JoinAsync("bob", ttlSeconds: 10);

var alices = await locks.TryAcquireAsync("report", "alice", ttlSeconds: 30);
Console.WriteLine($"alice takes the lock: token {alices!.Token}");
var refused = await locks.TryAcquireAsync("report", "bob", ttlSeconds: 30);
Console.WriteLine($"bob takes the lock: {(refused is null ? "refused" : "not refused")}");
Console.WriteLine($"alice writes: {report.TryWrite(alices.Token, () => { })}");

time.Advance(TimeSpan.FromSeconds(8));
Console.WriteLine($"8 s later alice renews: {await locks.RenewAsync(alices, ttlSeconds: 30)}");
Console.WriteLine($"bob's heartbeat: {await locks.HeartbeatAsync("bob", ttlSeconds: 60)}");

time.Advance(TimeSpan.FromSeconds(30)); // alice is paused
Console.WriteLine($"30 s later these have expired: {string.Join(", ", await locks.TickAsync())}");
Console.WriteLine($"members: {string.Join(", ", locks.Members())}");

var bobs = await locks.TryAcquireAsync("report", "bob", ttlSeconds: 30);
Console.WriteLine($"bob takes the lock: token {bobs!.Token}");
Console.WriteLine($"bob writes: {report.TryWrite(bobs.Token, () => { })}");
Console.WriteLine($"alice writes: {report.TryWrite(alices.Token, () => { })}");
Console.WriteLine($"alice renews: {await locks.RenewAsync(alices, ttlSeconds: 30)}");
Console.WriteLine($"alice releases: {await locks.ReleaseAsync(alices)}");
Console.WriteLine($"bob releases: {await locks.ReleaseAsync(bobs)}");
