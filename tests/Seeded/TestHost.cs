using System.Globalization;
using System.Reflection;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Varve.Tests.Seeded;

/// <summary>
/// The process in which tests meet bugs, one after the other: a line on its standard input names a bug and a test,
/// lines on its standard output say what came of it. It stands, as a copy, among the files of the test project, so that
/// everything is found as the usual runner finds it; that runner would take longer to begin than nearly every test
/// takes.
/// </summary>
internal static class TestHost
{
    public const string Verb = "host";
    public const string Started = "started ";
    public const string Failed = "failed ";
    public const string Passed = "passed ";
    public const string Ended = "ended";

    /// <summary>
    /// Serves until its input ends. A command is <c>NUMBER first|all TEST</c>; TEST is a method with class and
    /// namespace, or a prefix and a star.
    /// </summary>
    public static int Run(string assemblyName)
    {
        var assembly = Assembly.Load(new AssemblyName(assemblyName));
        using var framework = new XunitTestFramework(new Xunit.Sdk.NullMessageSink());
        var output = Console.Out;
        while (Console.ReadLine() is { } command)
        {
            var parts = command.Split(' ', 3);
            SwitchOn(int.Parse(parts[0], CultureInfo.InvariantCulture));
            RunOne(framework, assembly, parts[2], parts[1] == "all", output);
            output.WriteLine(Ended);
            output.Flush();
        }

        return 0;
    }

    private static void RunOne(
        XunitTestFramework framework, Assembly assembly, string test, bool goOn, TextWriter output)
    {
        using var discoverer = framework.GetDiscoverer(Reflector.Wrap(assembly));
        var found = new Sink(goOn, output);
        if (test.EndsWith('*')) discoverer.Find(false, found, new Options());
        else discoverer.Find(test[..test.LastIndexOf('.')], false, found, new Options());
        found.Finished.Wait();
        var cases = found.Cases.Where(
            one => Matches($"{one.TestMethod.TestClass.Class.Name}.{one.TestMethod.Method.Name}", test)).ToList();
        if (cases.Count == 0) return;

        using var executor = framework.GetExecutor(assembly.GetName());
        var sink = new Sink(goOn, output);
        executor.RunTests(cases, sink, new Options());
        sink.Finished.Wait();
    }

    /// <summary>The switch is the engine's own only in the copy that has the bugs.</summary>
    private static void SwitchOn(int number) =>
        (Assembly.Load(new AssemblyName("Varve.Format")).GetType("Varve.SeededBug")
            ?? throw new InvalidOperationException("These are not the sources with the bugs."))
            .GetField("Number", BindingFlags.Static | BindingFlags.Public)!.SetValue(null, number);

    private static bool Matches(string name, string test) =>
        test.EndsWith('*') ? name.StartsWith(test[..^1], StringComparison.Ordinal) : name == test;

    private sealed class Sink(bool goOn, TextWriter output) : Xunit.LongLivedMarshalByRefObject, IMessageSink
    {
        private bool _hasFailed;

        public List<ITestCase> Cases { get; } = [];

        public ManualResetEventSlim Finished { get; } = new();

        public bool OnMessage(IMessageSinkMessage message)
        {
            lock (Cases)
            {
                switch (message)
                {
                    case ITestCaseDiscoveryMessage discovered:
                        Cases.Add(discovered.TestCase);
                        break;
                    case IDiscoveryCompleteMessage or ITestAssemblyFinished:
                        Finished.Set();
                        break;
                    case ITestStarting starting:
                        Say(Started, starting.Test.DisplayName);
                        break;
                    case ITestPassed passed:
                        Say(Passed, passed.Test.DisplayName);
                        break;
                    case ITestFailed failed:
                        Fail(failed.Test.DisplayName, failed);
                        break;
                    case ITestClassCleanupFailure failure:
                        Fail(failure.TestClass.Class.Name, failure);
                        break;
                    case ITestCaseCleanupFailure failure:
                        Fail(failure.TestCase.DisplayName, failure);
                        break;
                    case IErrorMessage failure:
                        Fail("the runner", failure);
                        break;
                }

                return goOn || !_hasFailed; // false ends the run after this test
            }
        }

        private void Fail(string name, IFailureInformation failure)
        {
            _hasFailed = true;
            Say(Failed, $"{name}: {string.Join(" <- ", failure.Messages).ReplaceLineEndings(" ")}");
        }

        private void Say(string what, string text)
        {
            output.WriteLine(what + text);
            output.Flush();
        }
    }

    private sealed class Options : ITestFrameworkDiscoveryOptions, ITestFrameworkExecutionOptions
    {
        private readonly Dictionary<string, object?> _values = [];

        public TValue GetValue<TValue>(string name) =>
            _values.TryGetValue(name, out var value) ? (TValue)value! : default!;

        public void SetValue<TValue>(string name, TValue value) => _values[name] = value;
    }
}
