using System.Reflection;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Varve.Tests.Seeded;

/// <summary>
/// The process in which a test meets its bug. It stands, as a copy, among the files of the test project, so that everything is found as
/// the usual runner finds it, but begins in a third of the time and stops at the first failure. Says what it does line by line, so that a
/// test that takes the process down is known by name.
/// </summary>
internal static class TestHost
{
    public const string Verb = "host";
    public const string Started = "started ";
    public const string Failed = "failed ";
    public const string Passed = "passed ";
    public const int NothingRan = 3;

    /// <summary>Runs tests of an assembly beside this one: <c>host NAME all|first METHOD...</c>; a method with its class and namespace, or a prefix that ends in a star.</summary>
    public static int Run(string assemblyName, bool goOn, string[] tests)
    {
        var assembly = Assembly.Load(new AssemblyName(assemblyName));
        using var framework = new XunitTestFramework(new Xunit.Sdk.NullMessageSink());
        using var discoverer = framework.GetDiscoverer(Reflector.Wrap(assembly));
        var found = new Sink(goOn);
        var options = new Options();
        if (tests.Any(test => test.EndsWith('*'))) discoverer.Find(false, found, options);
        else foreach (var type in tests.Select(test => test[..test.LastIndexOf('.')]).Distinct()) found.Expect(() => discoverer.Find(type, false, found, options));
        found.Finished.Wait();
        var cases = found.Cases.Where(one => tests.Any(test => Matches($"{one.TestMethod.TestClass.Class.Name}.{one.TestMethod.Method.Name}", test))).ToList();
        if (cases.Count == 0) return NothingRan;

        using var executor = framework.GetExecutor(assembly.GetName());
        var sink = new Sink(goOn);
        executor.RunTests(cases, sink, options);
        sink.Finished.Wait();
        return sink.Failures > 0 ? 1 : sink.Runs == 0 ? NothingRan : 0;
    }

    private static bool Matches(string name, string test) => test.EndsWith('*') ? name.StartsWith(test[..^1], StringComparison.Ordinal) : name == test;

    private sealed class Sink(bool goOn) : Xunit.LongLivedMarshalByRefObject, IMessageSink
    {
        public List<ITestCase> Cases { get; } = [];

        public ManualResetEventSlim Finished { get; } = new();

        public int Runs { get; private set; }

        public int Failures { get; private set; }

        /// <summary>Waits for one of several discoveries.</summary>
        public void Expect(Action discovery)
        {
            Finished.Reset();
            discovery();
            Finished.Wait();
        }

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
                        Runs++;
                        Say(Started, starting.Test.DisplayName);
                        break;
                    case ITestPassed passed:
                        Say(Passed, passed.Test.DisplayName);
                        break;
                    case ITestFailed failed:
                        Fail(failed.Test.DisplayName, failed);
                        break;
                    case ITestSkipped skipped:
                        Runs--; // says nothing about the bug
                        Console.WriteLine($"skipped {skipped.Test.DisplayName}: {skipped.Reason}");
                        break;
                    case ITestCaseCleanupFailure failure:
                        Fail(failure.TestCase.DisplayName, failure);
                        break;
                    case ITestClassCleanupFailure failure:
                        Fail(failure.TestClass.Class.Name, failure);
                        break;
                    case IErrorMessage failure:
                        Fail("the runner", failure);
                        break;
                }
            }

            return true;
        }

        private void Fail(string name, IFailureInformation failure)
        {
            Failures++;
            Say(Failed, $"{name}: {string.Join(" <- ", failure.Messages).ReplaceLineEndings(" ")}");
            if (!goOn) Environment.Exit(1);
        }

        private static void Say(string what, string text)
        {
            Console.WriteLine(what + text);
            Console.Out.Flush();
        }
    }

    private sealed class Options : ITestFrameworkDiscoveryOptions, ITestFrameworkExecutionOptions
    {
        private readonly Dictionary<string, object?> _values = [];

        public TValue GetValue<TValue>(string name) => _values.TryGetValue(name, out var value) ? (TValue)value! : default!;

        public void SetValue<TValue>(string name, TValue value) => _values[name] = value;
    }
}
