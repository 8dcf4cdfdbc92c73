using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Varve.Cli.Data;

/// <summary>
/// A state in one line: how many live keys, and SHA-256 over them in byte order, each as u32 LE key length, key, u32 LE
/// value length, value.
/// </summary>
internal readonly record struct StateDigest(long Count, string Sha256)
{
    /// <summary>The digest of every live key that starts with <paramref name="prefix"/>, at one revision.</summary>
    public static StateDigest Of(LsmStateMachine engine, ReadOnlySpan<byte> prefix = default)
    {
        using var view = engine.OpenView();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[4];
        var count = 0L;
        foreach (var entry in view.ScanPrefix(prefix))
        {
            BinaryPrimitives.WriteInt32LittleEndian(length, entry.Key.Length);
            hash.AppendData(length);
            hash.AppendData(entry.Key);
            BinaryPrimitives.WriteInt32LittleEndian(length, entry.Value.Length);
            hash.AppendData(length);
            hash.AppendData(entry.Value);
            count++;
        }

        return new StateDigest(count, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Count} keys, sha256 {Sha256[..16]}...";
}
