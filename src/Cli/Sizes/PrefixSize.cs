namespace Varve.Cli.Sizes;

/// <summary>Keys and bytes of the live entries under one prefix.</summary>
internal sealed class PrefixSize(byte[] prefix, bool isWhole)
{
    public byte[] Prefix { get; } = prefix;

    /// <summary>True if the prefix is a whole key, which no separator ends.</summary>
    public bool IsWhole { get; } = isWhole;

    public long Keys { get; private set; }

    public long KeyBytes { get; private set; }

    public long ValueBytes { get; private set; }

    public long Bytes => KeyBytes + ValueBytes;

    public void Add(int keyLength, int valueLength)
    {
        Keys++;
        KeyBytes += keyLength;
        ValueBytes += valueLength;
    }
}
