namespace Varve.Cli.Json;

/// <summary>One large entry.</summary>
internal sealed record SizedKey(string Key, long KeyBytes, long ValueBytes);
