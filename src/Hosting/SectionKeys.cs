using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Varve.Extensions.Hosting;

/// <summary>Refuses keys that name no option: a misspelt one would silently leave the default.</summary>
internal sealed class SectionKeys(string name, IConfiguration section) : IValidateOptions<VarveOptions>
{
    private static readonly HashSet<string> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        nameof(VarveOptions.Directory),
        nameof(EngineOptions.BlockBytes),
        nameof(EngineOptions.BottomMergeRatio),
        nameof(EngineOptions.Durability),
        nameof(EngineOptions.ExpiredLeaseRetention),
        nameof(EngineOptions.FilterBitsPerKey),
        nameof(EngineOptions.HistoryBytes),
        nameof(EngineOptions.HistoryEntries),
        nameof(EngineOptions.IdleAfter),
        nameof(EngineOptions.InvalidCommands),
        nameof(EngineOptions.LeaseClock),
        nameof(EngineOptions.LogGaps),
        nameof(EngineOptions.LowDiskBytes),
        nameof(EngineOptions.MemoryBudgetBytes),
        nameof(EngineOptions.MemtableBytes),
        nameof(EngineOptions.Name),
        nameof(EngineOptions.ParanoidChecks),
        nameof(EngineOptions.ReadOnly),
        nameof(EngineOptions.SealedMemtablesMax),
        nameof(EngineOptions.SlowSyncAfter),
        nameof(EngineOptions.SpareTableBytes),
        nameof(EngineOptions.SyncInterval),
        nameof(EngineOptions.TableAccess),
        nameof(EngineOptions.TableBytes),
        nameof(EngineOptions.UpperRunsMax),
    };

    /// <summary>The keys that a section may have.</summary>
    public static IReadOnlySet<string> Names => Known;

    public ValidateOptionsResult Validate(string? optionsName, VarveOptions options)
    {
        if (optionsName != name) return ValidateOptionsResult.Skip;
        var unknown = section.GetChildren().Where(child => !Known.Contains(child.Key)).ToList();
        return unknown.Count == 0
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(unknown.Select(child => $"{child.Path} names no option of the engine."));
    }
}
