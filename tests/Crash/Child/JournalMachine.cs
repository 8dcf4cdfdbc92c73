using System.Security.Cryptography;
using Varve.Tests.Conformance.Known;
using Varve.Tests.Conformance.Model;

namespace Varve.Tests.Crash.Child;

/// <summary>
/// The least machine that survives a SIGKILL: each chunk is appended to a file before the model applies it, and opening
/// replays what is whole. It exists to prove the kill test itself.
/// </summary>
internal sealed class JournalMachine : IDisposable
{
    private readonly DictionaryStateMachine machine;
    private readonly FileStream file;

    public JournalMachine(string directory, EngineOptions options)
    {
        Directory.CreateDirectory(directory);
        machine = new DictionaryStateMachine(options);
        file = new FileStream(Path.Combine(directory, "journal"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        long good = 0;
        using var reader = new BinaryReader(file, System.Text.Encoding.UTF8, leaveOpen: true);
        while (file.Length - good >= 36)
        {
            int length = reader.ReadInt32();
            byte[] hash = reader.ReadBytes(32);
            byte[] wire = reader.ReadBytes(length);
            if (!SHA256.HashData(wire).AsSpan().SequenceEqual(hash))
                break;
            Replay(WireChunk.Decode(wire));
            good = file.Position;
        }
        file.SetLength(good);
        file.Position = good;
    }

    public IStateMachine Machine => machine;

    public void Apply(ApplyEntry[] chunk)
    {
        byte[] wire = WireChunk.Encode(chunk);
        file.Write([.. BitConverter.GetBytes(wire.Length), .. SHA256.HashData(wire), .. wire]);
        Replay(chunk);
    }

    private void Replay(ApplyEntry[] chunk) => machine.ApplyChunkAsync(chunk).AsTask().GetAwaiter().GetResult();

    public void Dispose() => file.Dispose();
}
