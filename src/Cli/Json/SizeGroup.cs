using Varve.Cli.Sizes;
using Varve.Cli.Text;

namespace Varve.Cli.Json;

/// <summary>The entries under one prefix.</summary>
internal sealed record SizeGroup(string Prefix, long Keys, long KeyBytes, long ValueBytes)
{
    public static SizeGroup Of(PrefixSize group) =>
        new(KeyText.Escape(group.Prefix), group.Keys, group.KeyBytes, group.ValueBytes);
}
