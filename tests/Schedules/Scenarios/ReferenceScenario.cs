using Varve.Epochs;
using Varve.Tests.Schedules.Control;

namespace Varve.Tests.Schedules.Scenarios;

/// <summary>
/// Two threads acquire and release references while the first reference is released: the object is freed once, and
/// never under a reference.
/// </summary>
internal sealed class ReferenceScenario : Scenario
{
    private Thing _thing = null!;

    public override void Prepare(Scheduler scheduler)
    {
        _thing = new Thing();
        Threads =
        [
            () =>
            {
                _thing.Acquire();
                Expect(!_thing.IsFreed, "freed under the first reference");
                _thing.Release();
                _thing.Release();
                Use();
            },
            () =>
            {
                Use();
                Use();
            },
        ];
    }

    public override void Finish(Scheduler scheduler) => Expect(_thing.Frees == 1, "freed other than once");

    private void Use()
    {
        if (!_thing.TryAcquire()) return;
        Expect(!_thing.IsFreed, "freed under a reference");
        _thing.Release();
    }

    private sealed class Thing : RefCounted
    {
        public int Frees { get; private set; }

        public bool IsFreed => Frees > 0;

        protected override void Free() => Frees++;
    }
}
