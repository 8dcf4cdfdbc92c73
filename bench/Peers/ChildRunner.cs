using System.Text.Json;

namespace Varve.Bench.Peers;

/// <summary>The child's side: measures one group of rows with one engine and prints one line that the parent looks for.</summary>
internal static class ChildRunner
{
    public const string ResultPrefix = "RESULT ";

    public static int Run(BenchArguments arguments)
    {
        var context = new RunContext(
            arguments.ChildEngine!, arguments.Workloads.Select(w => w.Name).ToHashSet(), arguments.Entries, arguments.Data);
        try
        {
            Action<RunContext> group = arguments.ChildGroup switch
            {
                "random" => RandomGroup.Run,
                "ascending" => FillGroup.Ascending,
                "chunk1" => FillGroup.ChunkOfOne,
                "durable" => DurableGroup.Run,
                "mixed" => MixedGroup.WriterAndReader,
                "checkpoint" => MixedGroup.Checkpoint,
                _ => throw new ArgumentException($"no group '{arguments.ChildGroup}'"),
            };
            group(context);
        }
        catch (Exception e) when (e is NotSupportedException or IOException or InvalidDataException or InvalidOperationException)
        {
            Console.Error.WriteLine($"{e.GetType().Name}: {e.Message}");
            return 1;
        }

        Console.WriteLine(ResultPrefix + JsonSerializer.Serialize(new ChildResult(context.Measurements, context.Notes)));
        return 0;
    }
}
