using System.Text;

namespace Varve;

/// <summary>
/// One change of the state, from <see cref="LsmStateMachine.ReadChangesAsync"/>. Key and value are copies that stay
/// valid; readers of the same change may share them. Equal by value.
/// </summary>
/// <param name="Index">Log index of the entry that made it; of an expiry, the applied index at the clean-up.</param>
/// <param name="Term">Term of that entry.</param>
/// <param name="Kind">The kind of the change.</param>
/// <param name="Key">The key.</param>
/// <param name="Value">The new value; empty but for a put.</param>
public sealed record Change(
    ulong Index, ulong Term, ChangeKind Kind, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value)
{
    /// <summary>True if all parts are equal, keys and values by their bytes.</summary>
    /// <param name="other">The other change.</param>
    public bool Equals(Change? other) =>
        other is not null && Index == other.Index && Term == other.Term && Kind == other.Kind
        && Key.Span.SequenceEqual(other.Key.Span) && Value.Span.SequenceEqual(other.Value.Span);

    /// <summary>A hash of all parts.</summary>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(Index);
        hash.Add(Term);
        hash.Add(Kind);
        hash.AddBytes(Key.Span);
        hash.AddBytes(Value.Span);
        return hash.ToHashCode();
    }

    /// <summary>Without the bytes of key and value, which are the user's.</summary>
    private bool PrintMembers(StringBuilder text)
    {
        text.Append(
            System.Globalization.CultureInfo.InvariantCulture,
            $"Index = {Index}, Term = {Term}, Kind = {Kind}, Key = {Key.Length} bytes, Value = {Value.Length} bytes");
        return true;
    }
}
