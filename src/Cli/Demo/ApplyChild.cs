using System.Buffers.Binary;
using System.Diagnostics;
using Varve.Cli.Data;
using Varve.Cli.Sample;

namespace Varve.Cli.Demo;

/// <summary>
/// The process that the demo kills: this tool with a hidden command. Applies the bundled log from the database's
/// position on, and after each chunk writes the chunk's last index, 8 bytes little endian, to standard output. Each
/// byte on standard input allows one more chunk, and a few are allowed from the start: the parent decides how far the
/// child gets, and a kill meets it in the middle of an apply.
/// </summary>
internal sealed class ApplyChild : IDisposable
{
    public const string CommandName = "demo-child";

    /// <summary>Number of chunks that the child may apply without a byte from the parent.</summary>
    public const int ChunksAhead = 8;

    private readonly Process _process;
    private readonly byte[] _acknowledgement = new byte[sizeof(ulong)];

    private ApplyChild(Process process) => _process = process;

    /// <summary>Options with smaller memtables than the demo's other engines, so kills meet flushes, too.</summary>
    public static EngineOptions Options { get; } = DemoRun.Options with { MemtableBytes = 1 << 20 };

    public static ApplyChild Start(string data)
    {
        var self = Environment.ProcessPath
            ?? throw new InvalidOperationException("the path of this process is unknown");
        var start = new ProcessStartInfo(self)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false
        };
        if (Path.GetFileNameWithoutExtension(self).Equals("dotnet", StringComparison.OrdinalIgnoreCase))
        {
            start.ArgumentList.Add("exec");
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "varve.dll"));
        }

        start.ArgumentList.Add(CommandName);
        start.ArgumentList.Add(data);
        return new ApplyChild(
            Process.Start(start) ?? throw new InvalidOperationException("the child process did not start"));
    }

    /// <summary>Runs the child.</summary>
    public static void Run(string data)
    {
        using var credits = Console.OpenStandardInput();
        using var acknowledgements = Console.OpenStandardOutput();
        using var engine = LsmStateMachine.Open(data, Options);
        var applier = new ChunkApplier(engine);
        Span<byte> acknowledgement = stackalloc byte[sizeof(ulong)];
        var allowed = ChunksAhead;
        foreach (var chunk in SampleLog.Load())
        {
            if (chunk.LastIndex <= engine.LastApplied.Index) continue;
            if (allowed > 0) allowed--;
            else if (credits.ReadByte() < 0) return;
            applier.Apply(chunk.Bytes.Span);
            BinaryPrimitives.WriteUInt64LittleEndian(acknowledgement, chunk.LastIndex);
            acknowledgements.Write(acknowledgement);
            acknowledgements.Flush();
        }
    }

    /// <summary>Reads the next acknowledged index; null if the child has ended.</summary>
    public async Task<ulong?> ReadAcknowledgementAsync(CancellationToken cancellationToken)
    {
        var read = await _process.StandardOutput.BaseStream.ReadAtLeastAsync(
            _acknowledgement, _acknowledgement.Length, throwOnEndOfStream: false, cancellationToken);
        return read == _acknowledgement.Length ? BinaryPrimitives.ReadUInt64LittleEndian(_acknowledgement) : null;
    }

    public async Task AllowAsync(int chunksMore, CancellationToken cancellationToken)
    {
        var input = _process.StandardInput.BaseStream;
        await input.WriteAsync(new byte[chunksMore], cancellationToken);
        await input.FlushAsync(cancellationToken);
    }

    /// <summary>Kills the child (SIGKILL) and waits for its end.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose() => _process.Dispose();
}
