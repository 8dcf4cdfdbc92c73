namespace Varve.Cli.Json;

/// <summary>The size of one sorted run.</summary>
internal sealed record RunSize(int Tables, long Rows, long Bytes);
