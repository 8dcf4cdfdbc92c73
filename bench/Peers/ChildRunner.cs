using System.Text.Json;

namespace Varve.Bench.Peers;

/// <summary>
/// The child's side: measures one group of rows with one engine and prints one line that the parent looks for.
/// </summary>
internal static class ChildRunner
{
    public const string ResultPrefix = "RESULT ";

    public static int Run(BenchArguments arguments)
    {
        var context = new RunContext(arguments, Rows.FindGroup(arguments.ChildGroup!));
        try
        {
            context.Group.Run(context);
        }
        catch (Exception e)
            when (e is NotSupportedException or IOException or InvalidDataException or InvalidOperationException)
        {
            Console.Error.WriteLine($"{e.GetType().Name}: {e.Message}");
            return 1;
        }

        Send(context);
        return 0;
    }

    public static void Send(RunContext context)
    {
        Console.WriteLine(
            ResultPrefix + JsonSerializer.Serialize(new ChildResult(context.Measurements, context.Notes)));
        Console.Out.Flush();
    }
}
