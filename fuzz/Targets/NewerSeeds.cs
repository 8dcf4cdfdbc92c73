using Varve.Tests.Format.Evolution;

namespace Varve.Fuzz.Targets;

/// <summary>Seeds of what newer builds may write (<see cref="NewerBytes"/>), beside those of a target's own.</summary>
internal static class NewerSeeds
{
    public static FuzzTarget Added(FuzzTarget target) =>
        target with { Seeds = () => target.Seeds().Concat(Of(target.Name)) };

    private static IEnumerable<(string, byte[])> Of(string target) =>
        from newer in NewerBytes.All
        where newer.Structure == target
        select ("newer-" + newer.Place, (byte[])[.. Prefix(target), .. newer.Bytes]);

    /// <summary>
    /// The target's leading parameters: flags, which request nothing, and the length of a table's file.
    /// </summary>
    private static byte[] Prefix(string target) => target switch
    {
        "version-edit" or "machine-state" => [],
        "table-footer" => new byte[1 + sizeof(ulong)],
        _ => [0],
    };
}
