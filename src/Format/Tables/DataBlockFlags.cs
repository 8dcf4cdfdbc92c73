namespace Varve.Format;

/// <summary>
/// The columns that a data block leaves out because every row has the same value. The values are frozen: they are on
/// disk.
/// </summary>
[Flags]
internal enum DataBlockFlags : byte
{
    None = 0,

    /// <summary>Every key has the header's length; there is no column of key lengths.</summary>
    FixedKeys = 1,

    /// <summary>Every row takes the header's bytes; there is no column of row offsets.</summary>
    FixedRows = 2,

    /// <summary>Every row is a plain put; there is no column of kinds.</summary>
    AllPuts = 4,

    /// <summary>All of them: no column but heads.</summary>
    Uniform = FixedKeys | FixedRows | AllPuts,
}
