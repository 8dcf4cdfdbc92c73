using System.CommandLine;

namespace Varve.Cli.Text;

/// <summary>The option <c>--json</c> of commands that print one object.</summary>
internal static class JsonOption
{
    public static Option<bool> Create() => new("--json") { Description = "Print one JSON object." };
}
