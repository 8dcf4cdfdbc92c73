using Xunit;

namespace Varve.Tests.Engine;

/// <summary>The whole process is looked at here, its memory or its threads, so nothing else may run.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class WholeProcess
{
    public const string Name = "the whole process";
}
