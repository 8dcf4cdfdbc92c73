using Varve.Storage;
using Varve.Tests.Tables;

namespace Varve.Fuzz.Targets;

/// <summary>
/// Bytes for unsafe readers: they end at a page that cannot be touched, so that a read past them ends the process. The
/// loop has the input on disk by then. The memory is the thread's and used again: making it anew costs more than most
/// targets.
/// </summary>
internal sealed unsafe class GuardedBytes : IDisposable
{
    private readonly IMapping _mapping;

    public GuardedBytes(byte[] bytes)
    {
        var storage = new MemoryStorage { ["b"] = bytes, ReusesMappings = true };
        using var file = storage.Open("b", FileIntent.Read);
        _mapping = file.Map(bytes.Length, MappingAccess.Table);
    }

    public byte* Address => _mapping.Address;

    public void Dispose() => _mapping.Dispose();
}
