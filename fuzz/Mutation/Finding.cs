namespace Varve.Fuzz.Mutation;

/// <summary>A forbidden behaviour of a target. The values are words in file names.</summary>
internal enum FindingKind
{
    /// <summary>An exception that the contract does not name, or a check of the target's own.</summary>
    Exception,

    /// <summary>More managed memory than the target's cap.</summary>
    Allocation,

    /// <summary>Ended, but took too long, and again when tried again.</summary>
    Slow,

    /// <summary>Had not ended when the watchdog looked.</summary>
    Hang,
}

/// <summary>An input that breaks a target's contract, and how to come by it again.</summary>
/// <param name="Target">The target's name.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Input">The input.</param>
/// <param name="Seed">The seed of the run.</param>
/// <param name="Execution">Which execution of that run; -1: an input of the corpus.</param>
/// <param name="Detail">The exception, the bytes or the time.</param>
internal sealed record Finding(string Target, FindingKind Kind, byte[] Input, ulong Seed, long Execution, string Detail)
{
    public override string ToString() =>
        $"{Target}: {Kind} at execution {Execution} of seed {Seed}, {Input.Length} bytes: {Detail}";
}
