namespace Varve.Cli.Sizes;

/// <summary>One live entry's sizes.</summary>
internal readonly record struct KeySize(byte[] Key, int ValueBytes)
{
    public long Bytes => Key.Length + (long)ValueBytes;
}
