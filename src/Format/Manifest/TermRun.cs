namespace Varve.Format;

/// <summary>From <paramref name="FirstIndex"/> on, until the next run, entries have <paramref name="Term"/>.</summary>
internal readonly record struct TermRun(ulong FirstIndex, ulong Term)
{
    /// <summary>The term of what was jumped over.</summary>
    public const ulong Unknown = ulong.MaxValue;
}
