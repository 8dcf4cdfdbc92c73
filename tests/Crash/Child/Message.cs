using System.Buffers.Binary;

namespace Varve.Tests.Crash.Child;

/// <summary>Messages of a child about itself. The value is an index unless stated.</summary>
internal enum MessageKind : byte
{
    Opening = 1,

    /// <summary>Acknowledges: this is the applied index, and it is kept.</summary>
    Applied,

    /// <summary>An install or a reset begins; the state afterwards is that of this index.</summary>
    Jumping,

    /// <summary>A call failed, and the state is that of this index.</summary>
    Standing,

    /// <summary>The durable position that the engine reports.</summary>
    Durable,

    /// <summary>A flush, compaction, snapshot, install or reset begins (value: a <see cref="Disturbance"/>).</summary>
    Disturbing,
    Closing,
    Closed,

    /// <summary>The engine is latched and said so by an exception.</summary>
    Faulted,

    /// <summary>Prepared; continues after a line of input.</summary>
    Ready,

    /// <summary>A call failed as documented (value: a <see cref="FailureKind"/>).</summary>
    Failed,

    /// <summary>The traced part has ended.</summary>
    Acted,

    /// <summary>Work continued after the disturbance: applies, a flush.</summary>
    WentOn,

    /// <summary>It came to its end.</summary>
    Done,
}

internal enum Disturbance
{
    Flush,
    Compact,
    Snapshot,
    Reset,
    Install,
}

internal enum FailureKind
{
    Io,
    Full,
    Faulted,
}

internal readonly record struct Message(MessageKind Kind, ulong Value)
{
    public const int Size = 9;

    public static Message Decode(ReadOnlySpan<byte> bytes) =>
        new((MessageKind)bytes[0], BinaryPrimitives.ReadUInt64LittleEndian(bytes[1..]));
}

/// <summary>
/// The child's end: standard output, one write a message, so that none is half there. It dies of a parent that is gone.
/// </summary>
internal sealed class MessageWriter : IDisposable
{
    private readonly FileStream _output = new(
        new Microsoft.Win32.SafeHandles.SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
    private readonly Lock _turn = new();
    private readonly byte[] _bytes = new byte[Message.Size];

    public void Say(MessageKind kind, ulong value = 0)
    {
        lock (_turn)
        {
            _bytes[0] = (byte)kind;
            BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(1), value);
            _output.Write(_bytes);
        }
    }

    public void Dispose() => _output.Dispose();
}
