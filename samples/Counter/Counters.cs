using System.Globalization;
using Microsoft.Extensions.DependencyInjection;

namespace Varve.Samples.Counter;

/// <summary>Counters by name. Any number of threads may increment one counter; no increment is lost.</summary>
internal sealed class Counters([FromKeyedServices("counters")] LsmStateMachine engine, Proposer proposer)
{
    /// <summary>The value of a counter; 0 before the first increment.</summary>
    public long Read(string name) =>
        engine.GetString("counter/" + name) is { } text ? long.Parse(text, CultureInfo.InvariantCulture) : 0;

    /// <summary>Adds one.</summary>
    /// <returns>The value after this increment.</returns>
    public async Task<long> IncrementAsync(string name, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var seen = engine.GetString("counter/" + name);
            var value = seen is null ? 1 : long.Parse(seen, CultureInfo.InvariantCulture) + 1;
            var swap = Command.CompareAndSwap(
                "counter/" + name, expected: seen, value.ToString(CultureInfo.InvariantCulture));
            var result = await proposer.ProposeAsync(swap, cancellationToken);
            if (result.Succeeded) return value; // otherwise another increment came first
        }
    }
}
