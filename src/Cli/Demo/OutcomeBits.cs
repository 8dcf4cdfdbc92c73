using System.Security.Cryptography;

namespace Varve.Cli.Demo;

/// <summary>Outcomes as a bit string: entry i at byte i / 8, bit i % 8, least significant first.</summary>
internal sealed class OutcomeBits
{
    private readonly List<byte> _bytes = [];
    private long _count;

    public void Add(ReadOnlySpan<ApplyResult> results)
    {
        foreach (var result in results)
        {
            if (_count % 8 == 0) _bytes.Add(0);
            if (result.Succeeded) _bytes[^1] |= (byte)(1 << (int)(_count % 8));
            _count++;
        }
    }

    public string Sha256() => Convert.ToHexStringLower(SHA256.HashData(_bytes.ToArray()));
}
