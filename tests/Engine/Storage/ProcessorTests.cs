using Varve.Background;
using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Storage;

/// <summary>An open on a processor that the formats do not fit is refused before anything is made.</summary>
public sealed class ProcessorTests
{
    [Theory]
    [InlineData(false, 64, "big endian")]
    [InlineData(true, 32, "32 bits")]
    public void UnsupportedProcessorIsRefusedBeforeAnyFile(bool isLittleEndian, int addressBits, string named)
    {
        var directory = Path.Combine(Path.GetTempPath(), "varve-processor-" + Path.GetRandomFileName());
        var seams = new EngineSeams(Processor: new Processor(isLittleEndian, addressBits));
        var refusal = Assert.Throws<PlatformNotSupportedException>(
            () => LsmStateMachine.Open(directory, new EngineOptions(), seams));
        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory));
    }

    [Fact]
    public void ProcessorOfThisTestIsSupported() => Processor.Own.EnsureSupported();
}
