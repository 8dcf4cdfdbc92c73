using Varve.Contract;
using Varve.Storage;

namespace Varve.Background;

/// <summary>
/// The parts of its environment that a test gives an engine in place of the real ones. Null keeps the real one.
/// </summary>
/// <param name="Storage">The file system, such as a simulated disk.</param>
/// <param name="Scheduler">
/// Runs the engine without threads: the caller runs background rounds, and a long task runs on the thread that asks.
/// </param>
/// <param name="Allocations">
/// Called where an apply, an install or a reset needs memory; may throw <see cref="OutOfMemoryException"/>.
/// </param>
/// <param name="ThreadStarts">
/// Called with each thread of the engine before it starts; may throw <see cref="OutOfMemoryException"/>, as a start
/// does.
/// </param>
/// <param name="Processor">The processor that an open finds.</param>
/// <param name="WorkClock">The clock that work is timed with; called under locks and on any thread.</param>
internal sealed record EngineSeams(
    IStorage? Storage = null, ManualScheduler? Scheduler = null, Action<Allocation>? Allocations = null,
    Action<Thread>? ThreadStarts = null, Processor? Processor = null, TimeProvider? WorkClock = null)
{
    /// <summary>The real environment.</summary>
    public static EngineSeams None { get; } = new();
}
