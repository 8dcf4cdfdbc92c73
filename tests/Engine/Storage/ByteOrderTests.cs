using Varve.Storage;
using Xunit;

namespace Varve.Tests.Engine.Storage;

public sealed class ByteOrderTests
{
    [Fact]
    public void BigEndianProcessorIsRefused()
    {
        Assert.Throws<PlatformNotSupportedException>(() => ByteOrder.EnsureSupported(isLittleEndian: false));
        ByteOrder.EnsureSupported(isLittleEndian: true);
    }
}
