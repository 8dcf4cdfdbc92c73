using System.Buffers.Binary;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace Varve.Bench.Peers.Engines;

/// <summary>
/// Finds LMDB. The package's build asks for glibc 2.38 because of one symbol, <c>__isoc23_strtol</c>, which older
/// systems know as <c>strtol</c>. Where it does not load as it is, a copy is made whose import has the older name and
/// whose version requirement is weak; no code changes.
/// </summary>
internal static class LmdbLibrary
{
    private const string NewPrefix = "__isoc23_";
    private const string NewVersion = "GLIBC_2.38";
    private const int SectionDynamicSymbols = 11;
    private const int SectionVersionNeeds = 0x6ffffffe;
    private const int SectionSymbolVersions = 0x6fffffff;

    /// <summary>To be called before the first call into <see cref="LmdbNative"/>; may be called again.</summary>
    public static void Register() => Registered.GetHashCode();

    private static readonly Lazy<nint> Handle = new(Load);
    private static readonly object Registered = RegisterOnce();

    private static object RegisterOnce()
    {
        NativeLibrary.SetDllImportResolver(
            typeof(LmdbLibrary).Assembly, (name, _, _) => name == "lmdb" ? Handle.Value : 0);
        return new object();
    }

    private static nint Load()
    {
        var assembly = Assembly.GetExecutingAssembly();
        if (NativeLibrary.TryLoad("lmdb", assembly, null, out var handle)) return handle;
        var packaged = Path.Combine(
            AppContext.BaseDirectory, "runtimes",
            $"linux-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}", "native", "liblmdb.so");
        if (!File.Exists(packaged)) throw new IOException("the LightningDB package has no liblmdb.so for this system");
        var image = File.ReadAllBytes(packaged);
        UseOlderNames(image);
        var copy = Path.Combine(Path.GetTempPath(), $"liblmdb-{Environment.ProcessId}.so");
        File.WriteAllBytes(copy, image);
        try
        {
            return NativeLibrary.Load(copy);
        }
        finally
        {
            File.Delete(copy);
        }
    }

    /// <summary>
    /// Edits the tables of a little-endian ELF64 image: dynamic symbols (24 bytes an entry), their versions (2 bytes),
    /// versions needed (16 and 16).
    /// </summary>
    private static void UseOlderNames(byte[] image)
    {
        var sections = Sections(image);
        var symbols = sections.Single(s => s.Type == SectionDynamicSymbols);
        var versions = sections.Single(s => s.Type == SectionSymbolVersions);
        var names = sections[symbols.Link].Offset;
        for (var i = 0; i < symbols.Size / 24; i++)
        {
            var entry = image.AsSpan(symbols.Offset + i * 24);
            var name = BinaryPrimitives.ReadInt32LittleEndian(entry);
            if (!Text(image, names + name).StartsWith(NewPrefix, StringComparison.Ordinal)) continue;
            BinaryPrimitives.WriteInt32LittleEndian(entry, name + NewPrefix.Length);
            // VER_NDX_GLOBAL: whatever version is the default.
            BinaryPrimitives.WriteInt16LittleEndian(image.AsSpan(versions.Offset + i * 2), 1);
        }

        var needs = sections.Single(s => s.Type == SectionVersionNeeds);
        names = sections[needs.Link].Offset;
        for (int need = needs.Offset, next = 1; next != 0; need += next)
        {
            next = Int32(image, need + 12);
            var auxiliary = need + Int32(image, need + 8);
            for (var step = 1; step != 0; auxiliary += step)
            {
                step = Int32(image, auxiliary + 12);
                // VER_FLG_WEAK.
                if (Text(image, names + Int32(image, auxiliary + 8)) == NewVersion) image[auxiliary + 4] |= 2;
            }
        }
    }

    private static List<(int Type, int Offset, int Size, int Link)> Sections(byte[] image)
    {
        var table = (int)BinaryPrimitives.ReadInt64LittleEndian(image.AsSpan(40));
        var size = BinaryPrimitives.ReadInt16LittleEndian(image.AsSpan(58));
        var count = BinaryPrimitives.ReadInt16LittleEndian(image.AsSpan(60));
        return [.. Enumerable.Range(0, count).Select(i => table + i * size)
            .Select(at => (Int32(image, at + 4), Int32(image, at + 24), Int32(image, at + 32), Int32(image, at + 40)))];
    }

    private static int Int32(byte[] image, int offset) => BinaryPrimitives.ReadInt32LittleEndian(image.AsSpan(offset));

    private static string Text(byte[] image, int offset)
    {
        var bytes = image.AsSpan(offset);
        return Encoding.ASCII.GetString(bytes[..bytes.IndexOf((byte)0)]);
    }
}
