using Microsoft.Extensions.Options;

namespace Varve.Extensions.Hosting;

/// <summary>Refuses what an open would refuse, at the start of the host.</summary>
internal sealed class OptionsCheck : IValidateOptions<VarveOptions>
{
    public ValidateOptionsResult Validate(string? name, VarveOptions options)
    {
        if (string.IsNullOrWhiteSpace(options.Directory))
            return ValidateOptionsResult.Fail($"Varve engine \"{name}\": {nameof(VarveOptions.Directory)} is not set.");
        return options.Engine.TryValidate(out var problem)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"Varve engine \"{name}\": {problem}");
    }
}
