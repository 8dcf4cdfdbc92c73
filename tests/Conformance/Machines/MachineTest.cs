using System.Text;
using Microsoft.Extensions.Time.Testing;

namespace Varve.Tests.Conformance.Machines;

/// <summary>A directory that goes with the test.</summary>
public abstract class DirectoryTest : IDisposable
{
    protected string Root { get; } = Directory.CreateTempSubdirectory("varve-conformance-").FullName;

    protected string PathOf(string name) => Path.Combine(Root, name);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => Directory.Delete(Root, recursive: true);
}

/// <summary>
/// Base of the conformance tests: a machine of the factory under test, opened on first use, and helpers that apply.
/// </summary>
public abstract class MachineTest<TFactory> : DirectoryTest where TFactory : IMachineFactory, new()
{
    private readonly List<IStateMachine> _opened = [];
    private IStateMachine? _machine;

    protected TFactory Factory { get; } = new();

    protected FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    protected virtual EngineOptions Options => new() { TimeProvider = Clock };

    /// <summary>The machine under test.</summary>
    protected IStateMachine Machine => _machine ??= Open("db");

    protected IStateMachine Open(string name, EngineOptions? options = null)
    {
        var one = Factory.Open(PathOf(name), options ?? Options);
        _opened.Add(one);
        return one;
    }

    /// <summary>
    /// Closes the machine without stopping it, as a process does that exits, and opens its directory again.
    /// </summary>
    protected async Task ReopenAsync(EngineOptions? options = null)
    {
        await Machine.DisposeAsync();
        _machine = Open("db", options);
    }

    protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    protected static ApplyEntry Noop(ulong index, ulong term = 1, ulong time = 0) =>
        new(index, term, Command.Noop, time);

    protected static ApplyEntry Put(
        ulong index, string key, string value, ulong ttl = 0, ulong term = 1, ulong time = 0) =>
        new(index, term, Command.Insert(Bytes(key), Bytes(value), ttl), time);

    protected static ApplyEntry Delete(ulong index, string key, ulong term = 1, ulong time = 0) =>
        new(index, term, Command.Delete(Bytes(key)), time);

    protected static ApplyEntry Swap(
        ulong index, string key, string? expected, string value, ulong term = 1, ulong time = 0) =>
        new(
            index, term, Command.CompareAndSwap(Bytes(key), expected is null ? null : Bytes(expected), Bytes(value)),
            time);

    /// <summary>Applies a chunk and says what came of each entry.</summary>
    protected async Task<bool[]> ApplyAsync(params ApplyEntry[] chunk) => await ApplyToAsync(Machine, chunk);

    protected static async Task<bool[]> ApplyToAsync(IStateMachine machine, params ApplyEntry[] chunk)
    {
        var results = await machine.ApplyChunkAsync(chunk);
        Assert.Equal(chunk.Select(entry => entry.Index), results.Select(result => result.Index));
        return [.. results.Select(result => result.Succeeded)];
    }

    /// <summary>Applies a chunk and asserts its outcomes.</summary>
    protected Task ExpectAsync(bool[] expected, params ApplyEntry[] chunk) => ExpectFromAsync(Machine, expected, chunk);

    protected static async Task ExpectFromAsync(IStateMachine machine, bool[] expected, params ApplyEntry[] chunk) =>
        Assert.Equal(expected, await ApplyToAsync(machine, chunk));

    /// <summary>The value as text; null if absent.</summary>
    protected string? Get(string key) => GetFrom(Machine, key);

    protected static string? GetFrom(IStateMachine machine, string key) =>
        machine.Get(Bytes(key)) is { } value ? Encoding.UTF8.GetString(value) : null;

    /// <summary>A scan as "key=value" in order.</summary>
    protected string Scan(string prefix = "") => ScanOf(Machine, prefix);

    protected static string ScanOf(IStateMachine machine, string prefix = "") =>
        string.Join(' ', machine.ScanPrefix(Bytes(prefix)).Entries
            .Select(entry => $"{Encoding.UTF8.GetString(entry.Key.Span)}={Encoding.UTF8.GetString(entry.Value.Span)}"));

    protected override void Dispose(bool disposing)
    {
        foreach (var one in _opened)
            one.CloseStorage();
        base.Dispose(disposing);
    }
}
