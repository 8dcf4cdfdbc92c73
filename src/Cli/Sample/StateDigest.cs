using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Varve.Cli.Sample;

/// <summary>
/// A state in one line: the number of live keys, and SHA-256 over them in byte order, each as u32 LE key length, key,
/// u32 LE value length, value.
/// </summary>
internal readonly record struct StateDigest(long Count, string Sha256)
{
    /// <summary>The digest of every live key that starts with <paramref name="prefix"/>, at one revision.</summary>
    public static StateDigest Of(IStateMachine machine, ReadOnlySpan<byte> prefix = default)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[4];
        var entries = machine.ScanPrefix(prefix).Entries;
        foreach (var (key, value) in entries)
        {
            BinaryPrimitives.WriteInt32LittleEndian(length, key.Length);
            hash.AppendData(length);
            hash.AppendData(key.Span);
            BinaryPrimitives.WriteInt32LittleEndian(length, value.Length);
            hash.AppendData(length);
            hash.AppendData(value.Span);
        }

        return new StateDigest(entries.Count, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Count} keys, sha256 {Sha256[..16]}...";
}
