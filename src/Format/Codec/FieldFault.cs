namespace Varve.Format;

/// <summary>A field and its problem, such as "record length" and "is out of range". Never user bytes.</summary>
internal readonly record struct FieldFault(string Field, string Problem)
{
    /// <summary>The one formatter of faults: the field, then the problem.</summary>
    public override string ToString() => Problem.Length == 0 ? Field : $"{Field} {Problem}";
}
