namespace Varve;

/// <summary>The root of every failure that the engine reports of itself or of its files.</summary>
public abstract class VarveException : IOException
{
    private protected VarveException(string message, Exception? inner = null) : base(message, inner) { }
}
