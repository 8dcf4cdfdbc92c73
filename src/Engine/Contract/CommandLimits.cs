using Varve.Format;

namespace Varve.Contract;

/// <summary>The limits of a command's key and value.</summary>
internal static class CommandLimits
{
    public static bool AreKept(CommandKind kind, int keyLength, int valueLength) =>
        kind == CommandKind.Noop
        || (keyLength is > 0 and <= WalOperation.KeyLengthMax && valueLength <= WalOperation.ValueLengthMax);

    /// <summary>
    /// What is wrong with a command that does not keep them, to go on after "Entry 3 of the chunk has".
    /// </summary>
    public static string Problem(int keyLength, int valueLength) =>
        keyLength is 0 or > WalOperation.KeyLengthMax
            ? $"a key of {keyLength} bytes; 1 to {WalOperation.KeyLengthMax} are allowed"
            : $"a value of {valueLength} bytes; up to {WalOperation.ValueLengthMax} are allowed";
}
