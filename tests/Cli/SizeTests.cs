using System.Text.Json;
using Xunit;

namespace Varve.Tests.Cli;

/// <summary><c>size</c> adds up live entries by prefix.</summary>
public sealed class SizeTests : IDisposable
{
    private readonly Tool _tool = new();

    public SizeTests()
    {
        using var engine = LsmStateMachine.Open(Data);
        string[] keys = ["jobs/1", "jobs/2/log", "users/a", "users/bob", "version"];
        foreach (var key in keys)
            Apply(engine, Command.Insert(System.Text.Encoding.UTF8.GetBytes(key), new byte[key.Length * 10]));
        Apply(engine, Command.Insert("users/gone"u8.ToArray(), new byte[100_000]));
        Apply(engine, Command.Delete("users/gone"u8.ToArray()));
    }

    private string Data => _tool.PathOf("data");

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task LiveEntriesAreCountedByPrefix()
    {
        using var json = await SizeAsync();
        var root = json.RootElement;
        Assert.Equal(7, root.GetProperty("revision").GetInt64());
        Assert.Equal((5, 39, 390), Sizes(root));
        var prefixes = root.GetProperty("prefixes").EnumerateArray()
            .Select(group => (group.GetProperty("prefix").GetString(), Sizes(group)));
        Assert.Equal([("jobs/", (2, 16, 160)), ("users/", (2, 16, 160))], prefixes);
        var largest = root.GetProperty("largest").EnumerateArray()
            .Select(key => (key.GetProperty("key").GetString(), key.GetProperty("value_bytes").GetInt64()));
        Assert.Equal(("jobs/2/log", 100L), largest.First());
        Assert.Equal(5, largest.Count());
        Assert.Equal(5, root.GetProperty("value_sizes").EnumerateArray().Sum(b => b.GetProperty("count").GetInt32()));
    }

    [Fact]
    public async Task PrefixIsGroupedByItsNextLevel()
    {
        using var json = await SizeAsync("jobs/", "--top", "1");
        Assert.Equal((2, 16, 160), Sizes(json.RootElement));
        var group = Assert.Single(json.RootElement.GetProperty("prefixes").EnumerateArray());
        Assert.Equal("jobs/2/", group.GetProperty("prefix").GetString());
        Assert.Equal(1, json.RootElement.GetProperty("largest").GetArrayLength());
    }

    [Fact]
    public async Task AnySeparatorOrNoneCanBeGiven()
    {
        using (var json = await SizeAsync("users/", "--separator", "hex:6f"))
            Assert.Equal(
                "users/bo",
                Assert.Single(json.RootElement.GetProperty("prefixes").EnumerateArray()).GetProperty("prefix")
                    .GetString());
        using (var json = await SizeAsync("--separator", ""))
            Assert.Equal(0, json.RootElement.GetProperty("prefixes").GetArrayLength());
    }

    [Fact]
    public async Task SizesOfValuesAreDrawn()
    {
        var output = (await _tool.RunAsync("size", "--data", Data)).Output;
        Assert.StartsWith("5 keys at index 7: 39 B of keys, 390 B of values\n", output);
        Assert.Matches(@"users/\s+2\s+16 B\s+160 B\s+41\.0 %", output);
        Assert.Matches(@"\(no further level\)\s+1", output);
        Assert.Matches(@"64 B\+\s+█+ 4", output);
    }

    [Fact]
    public async Task SizeReadsBesideOwnerAndUnknownPrefixIsEmpty()
    {
        using var owner = LsmStateMachine.Open(Data);
        Apply(owner, Command.Insert("users/new"u8.ToArray(), default));
        using (var json = await SizeAsync("users/new")) Assert.Equal((1, 9, 0), Sizes(json.RootElement));
        using (var json = await SizeAsync("nothing")) Assert.Equal((0, 0, 0), Sizes(json.RootElement));
        Assert.Equal(
            "0 keys under 'nothing' at index 8: 0 B of keys, 0 B of values\n",
            (await _tool.RunAsync("size", "nothing", "--data", Data)).Output);
    }

    [Theory]
    [InlineData("--top", "-1")]
    [InlineData("--separator", "hex:x")]
    [InlineData("hex:123")]
    public async Task BadArgumentIsUsageError(params string[] arguments)
    {
        var result = await _tool.RunAsync(["size", "--data", Data, .. arguments]);
        Assert.Equal(1, result.ExitCode);
        Assert.Single(result.ErrorLines);
    }

    private async Task<JsonDocument> SizeAsync(params string[] arguments)
    {
        var result = await _tool.RunAsync(["size", "--json", "--data", Data, .. arguments]);
        Assert.True(result.ExitCode == 0, result.Error);
        return JsonDocument.Parse(result.Output);
    }

    private static (int Keys, int KeyBytes, int ValueBytes) Sizes(JsonElement element) => (
        element.GetProperty("keys").GetInt32(), element.GetProperty("key_bytes").GetInt32(),
        element.GetProperty("value_bytes").GetInt32());

    private static void Apply(LsmStateMachine engine, Command command) =>
        engine.ApplyChunk([new ApplyEntry(engine.LastApplied.Index + 1, 1, command)], new ApplyResult[1]);
}
