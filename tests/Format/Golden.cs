using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Varve.Tests.Format;

/// <summary>
/// Formats as annotated hex: <c>golden/NAME.hex.txt</c>, a line for each field (or 16 bytes of it): offset, bytes,
/// meaning. The bytes are what counts; <c>VARVE_UPDATE_GOLDEN=1</c> rewrites the files from what the codecs emit.
/// </summary>
internal sealed class Golden
{
    private readonly List<(byte[] Bytes, string Meaning)> _fields = [];

    /// <summary>The next bytes, up to the end of the field named.</summary>
    public Golden Field(ReadOnlySpan<byte> bytes, string meaning)
    {
        _fields.Add((bytes.ToArray(), meaning));
        return this;
    }

    /// <summary>Cuts <paramref name="bytes"/> into fields of the given sizes; they have to add up.</summary>
    public Golden Fields(ReadOnlySpan<byte> bytes, params ReadOnlySpan<(int Size, string Meaning)> fields)
    {
        foreach (var (size, meaning) in fields)
        {
            Field(bytes[..size], meaning);
            bytes = bytes[size..];
        }

        Assert.True(bytes.IsEmpty, $"{bytes.Length} bytes have no meaning in the golden file");
        return this;
    }

    public void Check(string name, [CallerFilePath] string caller = "")
    {
        var path = Path.Combine(FindDirectory(Path.GetDirectoryName(caller)!), name + ".hex.txt");
        if (Environment.GetEnvironmentVariable("VARVE_UPDATE_GOLDEN") == "1") File.WriteAllText(path, Render());
        Assert.Equal(Parse(File.ReadAllLines(path)), _fields.SelectMany(field => field.Bytes));
    }

    private static string FindDirectory(string directory)
    {
        while (!Directory.Exists(Path.Combine(directory, "golden"))) directory = Path.GetDirectoryName(directory)!;
        return Path.Combine(directory, "golden");
    }

    private string Render()
    {
        var text = new StringBuilder();
        var offset = 0;
        foreach (var (bytes, meaning) in _fields)
        {
            var label = $"  # {meaning}";
            foreach (var line in bytes.Chunk(16))
            {
                var hex = string.Join(' ', line.Select(value => value.ToString("x2", CultureInfo.InvariantCulture)));
                text.Append(string.Create(CultureInfo.InvariantCulture, $"{offset:x4}  {hex,-47}{label}").TrimEnd())
                    .Append('\n');
                offset += line.Length;
                label = "";
            }
        }

        return text.ToString();
    }

    private static List<byte> Parse(string[] lines)
    {
        var bytes = new List<byte>();
        foreach (var line in lines)
        {
            var content = line.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (content.Length == 0) continue;
            Assert.Equal(bytes.Count, int.Parse(content[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            bytes.AddRange(content.Skip(1).Select(
                value => byte.Parse(value, NumberStyles.HexNumber, CultureInfo.InvariantCulture)));
        }

        return bytes;
    }
}
