using System.Diagnostics;

namespace Varve.Diagnostics;

/// <summary>The part of a piece of work that only a span shows.</summary>
/// <param name="Parent">The caller's activity; none if the engine began the work.</param>
/// <param name="End">The time of the end.</param>
/// <param name="Facts">Its tags.</param>
/// <param name="Message">The message of the exception that ended it, or null.</param>
internal sealed record WorkSpan(ActivityContext Parent, DateTimeOffset End, WorkFacts Facts, string? Message);
