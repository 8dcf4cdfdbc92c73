using Varve.Format;

namespace Varve.Contract;

/// <summary>The limits of a command's key and value.</summary>
internal static class CommandLimits
{
    public static bool AreKept(CommandKind kind, int keyLength, int valueLength) =>
        kind == CommandKind.Noop
        || (keyLength is > 0 and <= WalOperation.KeyLengthMax && valueLength <= WalOperation.ValueLengthMax);

    /// <summary>
    /// The problem of a command that exceeds its limits, as the end of a sentence such as "Entry 3 of the chunk has".
    /// </summary>
    public static string Problem(int keyLength, int valueLength) =>
        keyLength is 0 or > WalOperation.KeyLengthMax
            ? $"a key of {keyLength} bytes; 1 to {WalOperation.KeyLengthMax} are allowed"
            : $"a value of {valueLength} bytes; up to {WalOperation.ValueLengthMax} are allowed";
}
