namespace Varve.Tests.Tidy;

/// <summary>
/// The lists that the tidy tests hold the tree to. To change a rule, change it here, where a reviewer sees it.
/// </summary>
internal static class HouseRules
{
    public const int LinesMax = 400;
    public const int LinesWanted = 300;
    public const int ColumnsMax = 120;

    /// <summary>
    /// The public face of the engine: as long as its members, documentation and blank lines not counted.
    /// </summary>
    public const string Facade = "src/Engine/LsmStateMachine.cs";
    public const int FacadeLinesMax = 300;

    public const string PlatformInvokeRoom = "src/Engine/Storage/Posix/";

    /// <summary>The only packages that the product may depend on.</summary>
    public static readonly Dictionary<string, string[]> ProductPackages = new()
    {
        ["src/Format/Format.csproj"] = ["System.IO.Hashing", "ZstdSharp.Port"],
        ["src/Engine/Engine.csproj"] =
        [
            "CommunityToolkit.HighPerformance", "Microsoft.Extensions.Logging.Abstractions", "System.IO.Hashing",
            "System.IO.Pipelines",
            "ZstdSharp.Port",
        ],
    };

    public static readonly Dictionary<string, string[]> ProductProjects = new()
    {
        ["src/Format/Format.csproj"] = [],
        ["src/Engine/Engine.csproj"] = ["../Format/Format.csproj"],
    };

    /// <summary>The two commands of the README: one tests everything, one shows the engine at work.</summary>
    public const string TestCommand = "dotnet test -c Release Engine.sln";
    public const string DemoCommand = "dotnet run -c Release --project src/Cli -- demo";
}
