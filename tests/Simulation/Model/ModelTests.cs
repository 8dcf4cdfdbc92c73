using Varve.Tests.Shared;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Simulation.Model;

public sealed class ModelTests(ITestOutputHelper output)
{
    [Fact]
    public void HalfAMillionOperationsMatchModel() => ModelSoak.Run(new Soak(output.WriteLine), 500_000);
}
