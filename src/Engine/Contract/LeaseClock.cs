namespace Varve;

/// <summary>The clock that decides when a lease expires.</summary>
public enum LeaseClock
{
    /// <summary>The engine's <see cref="EngineOptions.TimeProvider"/>, at apply and at read.</summary>
    Local = 0,

    /// <summary>The largest timestamp of the entries applied so far: state is a pure function of the log.</summary>
    Log = 1,
}
