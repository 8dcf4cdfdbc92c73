using System.Diagnostics.CodeAnalysis;

namespace Varve.Tests.Conformance.Model;

/// <summary>
/// The dictionary machine's own snapshot file: magic, index, term, log time, then count and each record as key, value,
/// deadline flag, deadline. Integers are little endian, byte strings have a 32-bit length before them.
/// </summary>
internal static class DictionaryImage
{
    private static ReadOnlySpan<byte> Magic => "DICTIMG1"u8;

    public static byte[] Encode(DictionaryState state)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(Magic);
        writer.Write(state.LastApplied.Index);
        writer.Write(state.LastApplied.Term);
        writer.Write(state.LogTime);
        writer.Write(state.Records.Count);
        foreach (var (key, record) in state.Records)
        {
            writer.Write(key.Length);
            writer.Write(key);
            writer.Write(record.Value.Length);
            writer.Write(record.Value);
            writer.Write(record.Deadline.HasValue);
            writer.Write(record.Deadline ?? 0);
        }
        writer.Flush();
        return stream.ToArray();
    }

    public static bool TryDecode(byte[] image, [NotNullWhen(true)] out DictionaryState? state)
    {
        state = null;
        if (!image.AsSpan().StartsWith(Magic)) return false;
        using var reader = new BinaryReader(new MemoryStream(image, Magic.Length, image.Length - Magic.Length));
        try
        {
            var at = new LogId(reader.ReadUInt64(), reader.ReadUInt64());
            var read = new DictionaryState { LastApplied = at, LogTime = reader.ReadUInt64(), HistoryFloor = at.Index };
            if (at.Index > 0) read.Terms[at.Index] = at.Term;
            for (var count = reader.ReadInt32(); count > 0; count--)
            {
                var key = ReadBytes(reader);
                var value = ReadBytes(reader);
                var leased = reader.ReadBoolean();
                var deadline = reader.ReadUInt64();
                if (key.Length == 0 || !read.Records.TryAdd(key, new Record(value, leased ? deadline : null)))
                    return false;
            }
            if (reader.BaseStream.Position != reader.BaseStream.Length) return false;
            state = read;
            return true;
        }
        catch (EndOfStreamException)
        {
            return false;
        }
    }

    private static byte[] ReadBytes(BinaryReader reader)
    {
        var length = reader.ReadInt32();
        if (length < 0 || length > reader.BaseStream.Length - reader.BaseStream.Position)
            throw new EndOfStreamException();
        return reader.ReadBytes(length);
    }
}
