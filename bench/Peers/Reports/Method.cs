namespace Varve.Bench.Peers.Reports;

/// <summary>The method for all engines and all rows.</summary>
internal static class Method
{
    public static IReadOnlyList<string> Notes { get; } =
    [
        "Random rows: 16-byte random keys, 100-byte values, half of each compressible. "
            + "Reads copy the value out unless the row says otherwise; scans touch every key and value.",
        "Inputs are built before the clock starts, in the form that the engine takes fastest; "
            + "keys to be read lie in memory in the order of use.",
        "Settled: after everything was flushed and merged. Unsettled: right after the fill returns, "
            + "with a live memtable, several runs, and the background still at work.",
        "Durable rows are medians, and *raw* is pwrite + fdatasync of the same bytes by the same process in turns with "
            + "it.",
        "Every engine runs in child processes of one program with one runtime configuration. "
            + "Each child first does on a throwaway database what it will be timed at, flushes and merges included, "
            + "until the runtime has compiled it; `methods_compiled` in the raw results counts what was still compiled "
            + "in the timed part.",
        "Memory that a virtual machine has not used lately is first supplied by its host, slowly. Right before a row "
            + "that writes, a file as large as the row will need is written and deleted, for every engine alike, and "
            + "the rate of that is printed beside the row (*pages*); a run with `--cold` leaves it out. The order of "
            + "engines turns round from one repetition to the next ([why](decisions/0032-warm-page-supply.md)).",
        "Written bytes are what the kernel counts for the process (pages dirtied in mapped files included), "
            + "space is blocks in use, memory is anonymous resident memory.",
    ];
}
