using Varve.Contract;
using Varve.Diagnostics;

namespace Varve.Runtime;

/// <summary>The small state that every room of a running engine shares.</summary>
/// <param name="Options">The options, with the database's lease clock.</param>
/// <param name="State">Whether the engine runs, and its first failure.</param>
/// <param name="Clock">The time by which leases are judged.</param>
/// <param name="Counters">Running totals.</param>
/// <param name="Log">The user's logger, behind a queue.</param>
/// <param name="Telemetry">Times work, and reports it to the user's listeners, behind a queue.</param>
/// <param name="BackgroundWake">Wakes the thread that flushes, compacts and frees what was retired.</param>
/// <param name="Allocations">Called where an apply, an install or a reset needs memory; may throw.</param>
/// <param name="Changes">Tells the readers of changes that more are published.</param>
internal sealed record EngineContext(
    EngineOptions Options, EngineState State, EngineClock Clock, EngineCounters Counters, EngineLog Log,
    EngineTelemetry Telemetry, WakeSignal BackgroundWake, Action<Allocation>? Allocations,
    ChangeSignal Changes);
