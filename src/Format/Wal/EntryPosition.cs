namespace Varve.Format;

/// <summary>One entry of a chunk as its columns say it.</summary>
internal struct EntryPosition
{
    public ulong Index;
    public ulong Term;
    public ulong LogTimeMs;
    public bool Succeeded;

    /// <summary>Then it has not succeeded either.</summary>
    public bool Refused;

    public readonly ApplyStatus Status =>
        Succeeded ? ApplyStatus.Applied : Refused ? ApplyStatus.Refused : ApplyStatus.ExpectationFailed;
}
