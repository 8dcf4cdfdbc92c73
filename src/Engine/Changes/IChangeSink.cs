namespace Varve.Changes;

/// <summary>Takes the changes of a walk through the log.</summary>
internal interface IChangeSink
{
    /// <summary>Takes a change, which is valid during the call; false ends the walk before it.</summary>
    bool Take(in ChangeView change, in ChangeCursor at);
}
