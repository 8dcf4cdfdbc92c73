namespace Varve.Cli.Json;

/// <summary>The entry that <c>put</c> or <c>delete</c> applied.</summary>
internal sealed record AppliedReport(ulong Index, ulong Term);
