namespace Varve.Inspection;

/// <summary>The kind of a path that can be inspected.</summary>
internal enum PathKind
{
    Database,
    Snapshot,
    PackedSnapshot,
}
