namespace Varve;

/// <summary>The kind of a <see cref="Change"/>.</summary>
public enum ChangeKind : byte
{
    /// <summary>The key got a value: by an insert, a successful compare-and-swap, or a renewal, which keeps the
    /// value.</summary>
    Put = 0,

    /// <summary>The key was deleted; an entry that deletes an absent key is such a change too.</summary>
    Delete = 1,

    /// <summary>A lease clean-up reported the key: its lease has expired.</summary>
    Expired = 2,
}
