using Varve.Storage;
using Varve.Tests.Tables;

namespace Varve.Fuzz.Targets;

/// <summary>
/// Bytes for unsafe readers: they end at a page that cannot be touched, so that a read past them ends the process. The
/// loop has the input on disk by then. The memory is the thread's and used again: making it anew costs more than most targets.
/// </summary>
internal sealed unsafe class GuardedBytes : IDisposable
{
    private const int Room = 64 << 10;

    [ThreadStatic]
    private static Stack<IMapping>? spare;

    private readonly IMapping mapping;

    public GuardedBytes(byte[] bytes)
    {
        mapping = bytes.Length > Room ? Map(bytes) : (spare ??= []).TryPop(out var used) ? used : Map(new byte[Room]);
        Address = mapping.Address + mapping.Length - bytes.Length;
        bytes.CopyTo(new Span<byte>(Address, bytes.Length));
    }

    public byte* Address { get; }

    public void Dispose()
    {
        if (mapping.Length == Room) spare!.Push(mapping);
        else mapping.Dispose();
    }

    private static IMapping Map(byte[] bytes)
    {
        var storage = new MemoryStorage { ["b"] = bytes };
        using var file = storage.Open("b", FileIntent.Read);
        return file.Map(bytes.Length, MappingAccess.Table);
    }
}
