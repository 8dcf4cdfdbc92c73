using Varve;
using Varve.Tests.Corruption;
using Varve.Tests.Corruption.Golden;
using Varve.Tests.Shared;

return await Soak.RunAsync(args, new()
{
    ["bit-flips"] = async soak =>
    {
        using var golden = await GoldenDatabase.BuildAsync(Durability.Power, close: false);
        new BitFlips(soak, golden, [.. Regions.OfDatabase(golden), .. Regions.OfSnapshot(golden)]).Run()
            .Print(soak.Write);
    },
    ["gap"] = async soak =>
    {
        foreach (var durability in new[] { Durability.Power, Durability.Process })
        {
            foreach (var close in new[] { false, true })
            {
                using var golden = await GoldenDatabase.BuildAsync(durability, close);
                GapSoak.Run(soak, golden, $"{durability}, {(close ? "closed" : "killed")}");
            }
        }
    },
    ["truncations"] = async soak =>
    {
        using var golden = await GoldenDatabase.BuildAsync(Durability.Power, close: false);
        new Truncations(soak, golden).Run().Print(soak.Write);
    },
    ["pages"] = async soak =>
    {
        foreach (var durability in new[] { Durability.Power, Durability.Process })
        {
            using var golden = await GoldenDatabase.BuildAsync(durability, close: false);
            new Pages(soak, golden).Run().Print(soak.Write);
        }
    },
    ["files"] = async soak =>
    {
        using var stranger = await GoldenDatabase.BuildAsync(Durability.Power, close: false);
        foreach (var durability in new[] { Durability.Power, Durability.Process })
        {
            foreach (var close in new[] { false, true })
            {
                using var golden = await GoldenDatabase.BuildAsync(durability, close);
                new WholeFiles(soak, golden, stranger).Run().Print(soak.Write);
            }
        }
    },
});
