namespace Varve.Bench.Peers.Reports;

/// <summary>Headings of the sets.</summary>
internal static class SetTitles
{
    public static string Of(string set) => set switch
    {
        MainRows.Set => "The table of goals",
        "sustained" => "Sustained writes",
        "large" => "Five times the entries",
        "start" => "Recovery and memory",
        "open" => "Opening a large database",
        "ycsb" => "YCSB",
        "shapes" => "Key shapes",
        "values" => "Large values",
        "limited" => "Larger than memory",
        "growth" => "How cost grows",
        _ => set,
    };
}
