using System.Text;

namespace Varve.Tests.Simulation.Model;

/// <summary>
/// The expected content of an engine: for every key of a small universe, in key order, the part of a pool of bytes that
/// is its value. Plain enough to be right by reading, and without allocation, so that millions of operations a second
/// can be compared.
/// </summary>
internal sealed class ModelState
{
    private readonly byte[] _pool;
    private readonly Slot[] _slots;

    /// <summary>Another state of the same universe, empty.</summary>
    public ModelState(ModelState other)
    {
        (_pool, Keys) = (other._pool, other.Keys);
        _slots = new Slot[Keys.Length];
    }

    public ModelState(Random random)
    {
        _pool = new byte[1 << 16];
        random.NextBytes(_pool);
        var count = random.Next(8) == 0 ? random.Next(2, 12) : random.Next(20, 4_000);
        var prefixes = Enumerable.Range(0, 6)
            .Select(_ => Encoding.ASCII.GetBytes("/registry/pods/default/"[..random.Next(0, 23)])).ToArray();
        var keys = new SortedSet<byte[]>(Comparer<byte[]>.Create((x, y) => x.AsSpan().SequenceCompareTo(y)));
        while (keys.Count < count)
        {
            var tail = new byte[random.Next(1, 20)];
            random.NextBytes(tail);
            if (random.Next(4) == 0) tail.AsSpan().Fill(0xFF);
            keys.Add([.. prefixes[random.Next(prefixes.Length)], .. tail]);
            if (random.Next(count * 20) == 0) break; // few short keys may be all there are
        }

        // Of one hash by the seed of the tables (ModelWorld), and longer than what a manifest says of keys.
        if (random.Next(3) == 0)
            for (var i = 0; i < count / 4; i++) keys.Add(TestHash.Colliding(TestHash.Seed, (ulong)i));
        if (random.Next(3) == 0)
        {
            var common = new byte[random.Next(60, 3_000)];
            for (var i = 0; i < Math.Min(40, count / 4); i++) keys.Add([.. common, .. BitConverter.GetBytes(i)]);
        }

        Keys = [.. keys];
        _slots = new Slot[Keys.Length];
    }

    public byte[][] Keys { get; }

    /// <summary>The largest of the entries' timestamps, or the local time: what leases are compared with.</summary>
    public ulong Time { get; set; }

    public ReadOnlyMemory<byte> RandomValue(Random random)
    {
        var length = random.Next(50) == 0 ? random.Next(0, 9_000) : random.Next(12) == 0 ? 0 : random.Next(1, 120);
        return _pool.AsMemory(random.Next(0, _pool.Length - length), length);
    }

    public bool IsLive(int key) => _slots[key].IsPresent && (_slots[key].Deadline == 0 || Time < _slots[key].Deadline);

    public ReadOnlyMemory<byte> ValueOf(int key) => _slots[key].Value;

    public int Count
    {
        get
        {
            var live = 0;
            for (var key = 0; key < _slots.Length; key++) live += IsLive(key) ? 1 : 0;
            return live;
        }
    }

    /// <summary>Does what the command says and tells whether it succeeded.</summary>
    public bool Apply(int key, in Command command)
    {
        switch (command.Kind)
        {
            case CommandKind.Delete:
                _slots[key] = default;
                return true;
            case CommandKind.CompareAndDelete or CommandKind.Renew when !IsLive(key):
                return false;
            case CommandKind.CompareAndDelete when !ValueOf(key).Span.SequenceEqual(command.Expected!.Value.Span):
                return false;
            case CommandKind.CompareAndDelete:
                _slots[key] = default;
                return true;
            case CommandKind.Renew:
                _slots[key].Deadline = command.TtlSeconds == 0 ? 0 : Time + (command.TtlSeconds * 1000);
                return true;
            case CommandKind.CompareAndSwap when command.Expected is { } expected
                ? !IsLive(key) || !ValueOf(key).Span.SequenceEqual(expected.Span)
                : IsLive(key):
                return false;
            case CommandKind.CompareAndSwap or CommandKind.Insert:
                _slots[key] = new Slot
                {
                    IsPresent = true,
                    Value = command.Value,
                    Deadline = command.TtlSeconds == 0 ? 0 : Time + (command.TtlSeconds * 1000)
                };
                return true;
            default:
                return true;
        }
    }

    /// <summary>
    /// The keys that a clean-up must report, in key order: those that expired with a deadline after a time. They are
    /// gone from here on: never live and never reported again, on no machine that has them from this one.
    /// </summary>
    /// <param name="after">What expired up to here is not reported.</param>
    /// <param name="latest">The largest deadline of what is reported; 0 if nothing is.</param>
    public List<byte[]> TakeExpired(ulong after, out ulong latest)
    {
        var expired = new List<byte[]>();
        latest = 0;
        for (var key = 0; key < _slots.Length; key++)
        {
            if (!_slots[key].IsPresent || IsLive(key) || _slots[key].Deadline <= after) continue;
            latest = Math.Max(latest, _slots[key].Deadline);
            _slots[key] = default;
            expired.Add(Keys[key]);
        }

        return expired;
    }

    /// <summary>The same keys and values as another of the same universe; the time stays.</summary>
    public void CopyFrom(ModelState other) => other._slots.CopyTo(_slots, 0);

    public void Clear() => Array.Clear(_slots);

    /// <summary>The place of the first key that is not below a given one.</summary>
    public int FirstNotBelow(ReadOnlySpan<byte> key)
    {
        var (low, high) = (0, Keys.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Keys[middle].AsSpan().SequenceCompareTo(key) < 0) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    private struct Slot
    {
        public bool IsPresent;
        public ulong Deadline;
        public ReadOnlyMemory<byte> Value;
    }
}
