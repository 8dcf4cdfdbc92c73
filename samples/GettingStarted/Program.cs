using System.Text;
using Varve;

using var engine = LsmStateMachine.Open("data");

// The log index numbers every entry. A Raft library supplies it; alone, count on from the last one.
ulong next = engine.LastApplied.Index + 1;
var chunk = new ApplyEntry[]
{
    new(next, Term: 1, Command.Insert("user/1", "Ada")),
    new(next + 1, Term: 1, Command.Insert("user/2", "Grace")),
    new(next + 2, Term: 1, Command.Insert("session/7", "Ada", ttlSeconds: 60)),
};
ApplyResult[] results = await engine.ApplyChunkAsync(chunk);
Console.WriteLine($"{results.Length} entries applied, the last one is {engine.LastApplied}");

Console.WriteLine(engine.GetString("user/1"));

// A view is one revision, pinned. It copies nothing: its spans live as long as it does.
using (ReadView view = engine.OpenView())
    foreach (EntryView entry in view.ScanPrefix("user/"u8))
        Console.WriteLine($"{Encoding.UTF8.GetString(entry.Key)} = {Encoding.UTF8.GetString(entry.Value)}");
