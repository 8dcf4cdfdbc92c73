using Xunit;

namespace Varve.Tests.Cli;

/// <summary><c>completion</c> prints scripts that ask the tool for words.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    [InlineData("pwsh")]
    public async Task ScriptAsksToolForWords(string shell)
    {
        var result = await _tool.RunAsync("completion", shell);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains($"# varve completion {shell}", result.Output);
        Assert.Contains("[suggest:", result.Output);
    }

    [Fact]
    public async Task BashCompletesCommandsAndOptions()
    {
        var script = (await _tool.RunAsync("completion", "bash")).Output;
        var tool = string.Join(' ', Tool.Command().Prepend("dotnet").Select(word => $"'{word}'"));
        await File.WriteAllTextAsync(_tool.PathOf("try.sh"), $$"""
            varve() { {{tool}} "$@"; }
            {{script}}
            try() {
                COMP_LINE=$1 COMP_POINT=${#1}
                read -ra COMP_WORDS <<< "$1"
                COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
                _varve
                echo "${COMPREPLY[@]}"
            }
            try "varve snap"
            try "varve stat --wat"
            try "varve wat"
            """);
        var result = await Tool.ResultAsync(_tool.Start("bash", "try.sh"));
        Assert.Equal("snapshot\n--watch\nwatch\n", result.Output);
    }

    [Fact]
    public async Task UnknownShellIsUsageError()
    {
        var result = await _tool.RunAsync("completion", "csh");
        Assert.Equal(1, result.ExitCode);
        Assert.Single(result.ErrorLines);
    }
}
