using Varve.Inspection;

namespace Varve.Cli.Json;

/// <summary>A loss of a repair, with the bounds of the keys that it may concern.</summary>
internal sealed record LossLine(string File, long Offset, string What, string? After, string? Before)
{
    public static LossLine Of(Loss loss) => new(loss.File, loss.Offset, loss.What, Hex(loss.After), Hex(loss.Before));

    private static string? Hex(byte[]? key) => key is null ? null : "hex:" + Convert.ToHexStringLower(key);
}
