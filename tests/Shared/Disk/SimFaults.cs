namespace Varve.Tests.Shared.Disk;

/// <summary>The calls that a disk can refuse.</summary>
internal enum SimCall
{
    CreateDirectory,
    List,
    OpenFile,
    CreateFile,
    SyncDirectory,
    Link,
    Rename,
    Delete,
    DeleteDirectory,
    Lock,
    Read,
    Write,
    Allocate,
    Sync,
    Map,
    SyncRange,
    Truncate,
    TakeOver,
}

/// <summary>The way in which it refuses.</summary>
internal enum SimFault
{
    InputOutput,
    NoSpace,
    ShortRead,
    TooManyFiles,
}

/// <summary>
/// Counts the calls of a disk and has one of them fail, or every one that a test picks, or holds the caller: a hook may
/// wait.
/// </summary>
internal sealed class SimFaults
{
    private const int Eio = 5;
    private const int Emfile = 24;
    private long _failAt = -1;
    private SimFault _fault;

    /// <summary>Calls made so far.</summary>
    public long Calls { get; private set; }

    /// <summary>The call that failed, once it has.</summary>
    public string? Failed { get; private set; }

    /// <summary>Sees every call before it is made, may throw or wait.</summary>
    public Action<SimCall, string>? Before { get; set; }

    /// <summary>The first call from the k-th on that can fail like this does, once.</summary>
    public void FailAt(long k, SimFault how) => (_failAt, _fault, Failed) = (Calls + k, how, null);

    public void FailNothing() => _failAt = -1;

    /// <summary>
    /// True if a call can end in a fault: only reads are short, only calls that take a descriptor run out of them.
    /// </summary>
    public static bool CanEnd(SimCall call, SimFault fault) => fault switch
    {
        SimFault.ShortRead => call == SimCall.Read,
        SimFault.TooManyFiles => call is SimCall.OpenFile or SimCall.CreateFile or SimCall.TakeOver
            or SimCall.SyncDirectory or SimCall.List or SimCall.Lock,
        SimFault.NoSpace =>
            call is SimCall.CreateFile or SimCall.CreateDirectory or SimCall.Link or SimCall.Rename or SimCall.Write
                or SimCall.Allocate or SimCall.Sync or SimCall.SyncRange or SimCall.SyncDirectory,
        _ => true,
    };

    /// <summary>The fault that a call ends in, or null.</summary>
    public Exception? Enter(SimCall call, string path)
    {
        var number = Calls++;
        Before?.Invoke(call, path);
        if (_failAt < 0 || number < _failAt || !CanEnd(call, _fault)) return null;
        _failAt = -1;
        Failed = $"call {number}, {call} of {path}: {_fault}";
        return _fault switch
        {
            SimFault.NoSpace => new StorageFullException(path, new IOException($"{path}: {call}: no space left", 28)),
            SimFault.ShortRead => new EndOfStreamException($"{path}: ended early"),
            SimFault.TooManyFiles => new IOException($"{path}: {call} failed: too many open files", Emfile),
            _ => new IOException($"{path}: {call} failed: input/output error", Eio),
        };
    }
}
