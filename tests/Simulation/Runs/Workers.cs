using Varve.Tests.Shared;

namespace Varve.Tests.Simulation.Runs;

/// <summary>
/// Runs numbered pieces of work on all cores until one says that there is no more. The first that fails ends it.
/// </summary>
internal static class Workers
{
    public static void Run(Soak soak, Func<long, bool> piece)
    {
        var next = -1L;
        var isOver = false;
        Exception? failure = null;
        Parallel.For(0, (int)soak.Number("workers", Environment.ProcessorCount), _ =>
        {
            try
            {
                while (!Volatile.Read(ref isOver))
                    if (!piece(Interlocked.Increment(ref next))) Volatile.Write(ref isOver, true);
            }
#pragma warning disable CA1031 // Thrown again below.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Interlocked.CompareExchange(ref failure, e, null);
                Volatile.Write(ref isOver, true);
            }
        });
        if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }
}
