global using AutoResetEvent = Varve.Tests.Schedules.Instrumented.AutoResetEvent;
global using Interlocked = Varve.Tests.Schedules.Instrumented.Interlocked;
global using NativeMemory = Varve.Tests.Schedules.Instrumented.NativeMemory;
global using Stopwatch = Varve.Tests.Schedules.Instrumented.Stopwatch;
global using Thread = Varve.Tests.Schedules.Instrumented.Thread;
global using Volatile = Varve.Tests.Schedules.Instrumented.Volatile;
