using System.Security.Cryptography;
using Varve.Tests.Conformance.Model;
using Varve.Tests.Shared;

namespace Varve.Tests.Crash.Child;

/// <summary>
/// The smallest machine that survives a SIGKILL: it appends each chunk to a file before the model applies it, and an
/// open replays whole chunks. It exists to prove the kill test itself.
/// </summary>
internal sealed class JournalMachine : IDisposable
{
    private readonly DictionaryStateMachine _machine;
    private readonly FileStream _file;

    public JournalMachine(string directory, EngineOptions options)
    {
        Directory.CreateDirectory(directory);
        _machine = new DictionaryStateMachine(options);
        _file = new FileStream(
            Path.Combine(directory, "journal"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None,
            bufferSize: 0);
        long good = 0;
        using var reader = new BinaryReader(_file, System.Text.Encoding.UTF8, leaveOpen: true);
        while (_file.Length - good >= 36)
        {
            var length = reader.ReadInt32();
            var hash = reader.ReadBytes(32);
            var wire = reader.ReadBytes(length);
            if (!SHA256.HashData(wire).AsSpan().SequenceEqual(hash)) break;
            Replay(WireChunk.Decode(wire));
            good = _file.Position;
        }
        _file.SetLength(good);
        _file.Position = good;
    }

    public IStateMachine Machine => _machine;

    public void Apply(ApplyEntry[] chunk)
    {
        var wire = WireChunk.Encode(chunk);
        _file.Write([.. BitConverter.GetBytes(wire.Length), .. SHA256.HashData(wire), .. wire]);
        Replay(chunk);
    }

    private void Replay(ApplyEntry[] chunk) => _machine.ApplyChunkAsync(chunk).AsTask().GetAwaiter().GetResult();

    public void Dispose() => _file.Dispose();
}
