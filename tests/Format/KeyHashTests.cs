using System.IO.Hashing;
using Varve.Format;
using Xunit;

namespace Varve.Tests.Format;

/// <summary>The hash that is on disk in filters and tags is the library's XXH3, also where it is written out.</summary>
public class KeyHashTests
{
    [Fact]
    public void ItIsXxh3AtEveryLength()
    {
        var bytes = new byte[300];
        new Random(5).NextBytes(bytes);
        for (var round = 0; round < 20; round++)
        {
            for (var length = 1; length + round <= bytes.Length; length++)
                Assert.Equal(XxHash3.HashToUInt64(bytes.AsSpan(round, length)), KeyHash.Of(bytes.AsSpan(round, length)));
        }

        Array.Fill(bytes, byte.MaxValue);
        for (var length = 1; length <= 17; length++) Assert.Equal(XxHash3.HashToUInt64(bytes.AsSpan(0, length)), KeyHash.Of(bytes.AsSpan(0, length)));
    }
}
