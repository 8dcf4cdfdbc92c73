using Varve.Storage;
using Varve.Tests.Schedules.Control;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>
/// One thread takes file numbers while another finds one in the directory and takes one: none is given out twice, nor
/// is the found one.
/// </summary>
internal sealed class FileNumberScenario : Scenario
{
    private const ulong Met = 2;

    private readonly List<ulong> _taken = [];
    private FileNumbers _numbers = null!;
    private ulong _after;

    public override void Prepare(Scheduler scheduler)
    {
        _numbers = new FileNumbers(1);
        Threads =
        [
            () =>
            {
                for (var i = 0; i < 3; i++) _taken.Add(_numbers.Next());
            },
            () =>
            {
                _numbers.Above(Met);
                _after = _numbers.Next();
            },
        ];
    }

    public override void Finish(Scheduler scheduler)
    {
        Expect(_after > Met, "a number that was met was given out");
        Expect(_taken.Append(_after).Distinct().Count() == _taken.Count + 1, "a number was given out twice");
    }
}
