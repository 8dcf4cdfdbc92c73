namespace Varve.Tests.Schedules.Control;

/// <summary>Chooses the next thread.</summary>
internal interface IPlan
{
    /// <summary>
    /// The next step at which the plan may depart from the default; steps before it are not asked about.
    /// </summary>
    int NextStep { get; }

    /// <summary>The choice at a step, one of the bits of <paramref name="options"/>.</summary>
    /// <param name="step">The number of the step.</param>
    /// <param name="options">A bit for each choice that there is.</param>
    /// <param name="standard">The default.</param>
    /// <param name="isForced">Whether the thread that ran cannot go on, so that any choice is a switch.</param>
    int Choose(int step, int options, int standard, bool isForced);
}
