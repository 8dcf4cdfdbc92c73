using System.Collections.Concurrent;
using System.Diagnostics;

namespace Varve.Tests.Engine.Diagnostics;

/// <summary>Listens to the source of spans, and keeps those of one database that have ended.</summary>
internal sealed class SpansOf : IDisposable
{
    private readonly ActivityListener _listener;

    /// <param name="database">The name of the database.</param>
    /// <param name="ended">Called at the end of each of its spans, or null.</param>
    public SpansOf(string database, Action<Activity>? ended = null)
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Varve",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if ((string?)activity.GetTagItem("varve.database") != database) return;
                ended?.Invoke(activity);
                Ended.Enqueue(activity);
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public ConcurrentQueue<Activity> Ended { get; } = new();

    public Activity Await(string name)
    {
        Waiting.Until(() => Ended.Any(activity => activity.OperationName == name));
        return Ended.First(activity => activity.OperationName == name);
    }

    public void Dispose() => _listener.Dispose();
}
