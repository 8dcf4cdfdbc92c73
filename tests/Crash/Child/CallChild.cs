using System.Globalization;

namespace Varve.Tests.Crash.Child;

/// <summary>
/// The process whose calls are faulted. It runs the scenario once elsewhere, so that the runtime has loaded its code,
/// prepares, and waits until it is traced. A failure must be documented; afterwards it continues like an application.
/// </summary>
internal static class CallChild
{
    public const string Verb = "call-child";

    private const int FlushesAfter = 2;
    private const int ChunksAfter = 3;

    public static string[] Arguments(Scenario scenario, string directory, Durability durability, ulong seed) =>
        [Verb, scenario.Name, directory, $"{durability}", seed.ToString(CultureInfo.InvariantCulture)];

    public static int Start(string[] arguments)
    {
        var scenario = Scenario.All.Single(one => one.Name == arguments[1]);
        var directory = arguments[2];
        var options = KillChild.Options(arguments[3]);
        var seed = ulong.Parse(arguments[4], CultureInfo.InvariantCulture);
        using var parent = new MessageWriter();
        using (var rehearsal = new Stage(directory + ".rehearsal", options, seed, (_, _) => { }))
        {
            scenario.Prepare(rehearsal);
            scenario.Act(rehearsal);
            AfterAct(rehearsal);
        }

        using var stage = new Stage(directory, options, seed, parent.Say);
        scenario.Prepare(stage);
        parent.Say(MessageKind.Ready);
        using (var input = Console.OpenStandardInput()) input.ReadByte();
        if (!Try(stage, () => scenario.Act(stage))) stage.SayWhereItStands();
        parent.Say(MessageKind.Acted);
        if (Try(stage, () => AfterAct(stage))) parent.Say(MessageKind.WentOn);
        stage.Close();
        parent.Say(MessageKind.Done);
        return 0;
    }

    /// <summary>
    /// Work continues, or the engine says why not, as for an application on a disk that has space again.
    /// </summary>
    private static void AfterAct(Stage stage)
    {
        if (stage.Engine is null) stage.Open();
        for (var i = 0; i < FlushesAfter; i++)
        {
            stage.Apply(ChunksAfter);
            stage.Opened.Flush();
            stage.Tick();
        }

        stage.Compact();
        stage.Apply(1);
    }

    private static bool Try(Stage stage, Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (Exception e) when (e is EngineFaultedException
            or IOException and not (CorruptionException or UnsupportedFormatException))
        {
            stage.Say(MessageKind.Failed, (ulong)(e switch
            {
                EngineFaultedException => FailureKind.Faulted,
                StorageFullException => FailureKind.Full,
                _ => FailureKind.Io,
            }));
            return false;
        }
    }
}
