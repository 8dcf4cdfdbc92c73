namespace Varve.Storage;

/// <summary>Groups values of <see cref="MappingAccess"/>.</summary>
internal static class MappingAccesses
{
    public static bool IsReadOnly(this MappingAccess access) =>
        access is MappingAccess.Table or MappingAccess.ProbedTable;
}
