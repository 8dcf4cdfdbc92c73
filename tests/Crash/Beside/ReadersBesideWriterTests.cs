using Varve.Tests.Shared;
using Xunit;
using Xunit.Abstractions;

namespace Varve.Tests.Crash.Beside;

/// <summary>
/// Readers beside a writer that lives in another process and is killed; views of engines that are closed.
/// </summary>
public sealed class ReadersBesideWriterTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(nameof(Durability.Process))]
    [InlineData(nameof(Durability.Power))]
    public Task ReaderShowsOneStateUntilItCatchesUp(string durability) =>
        BesideLoop.RunAsync(new Soak(output.WriteLine, "--seconds", "4", "--durability", durability));

    [Fact]
    public Task ViewShowsItsStateUntilItIsClosed() => ViewLoop.RunAsync(new Soak(output.WriteLine, "--rounds", "5"));
}
