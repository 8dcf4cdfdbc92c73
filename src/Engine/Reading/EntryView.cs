using System.Runtime.CompilerServices;
using Varve.Format;
using Varve.Tables;

namespace Varve;

/// <summary>An entry of a scan, without a copy.</summary>
public readonly ref struct EntryView
{
    private readonly KeyVersion _version;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal EntryView(ReadOnlySpan<byte> key, KeyVersion version)
    {
        Key = key;
        _version = version;
    }

    /// <summary>The key; valid until the scan moves or ends.</summary>
    public ReadOnlySpan<byte> Key { get; }

    /// <summary>The value; valid until the view is disposed.</summary>
    public ReadOnlySpan<byte> Value => _version.Value;

    /// <summary>
    /// The moment at which the entry's lease expires, in Unix milliseconds; null if it has no lease. Valid until the
    /// view is disposed.
    /// </summary>
    public ulong? LeaseDeadlineMs => _version.Kind == RecordKind.LeasedPut ? _version.Deadline : null;
}
