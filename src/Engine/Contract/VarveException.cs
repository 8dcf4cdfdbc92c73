namespace Varve;

/// <summary>The root of the failures that a disk or a file causes.</summary>
public abstract class VarveException : IOException
{
    private protected VarveException(string message, Exception? inner = null) : base(message, inner) { }
}
