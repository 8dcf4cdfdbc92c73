global using Varve.Tests.Conformance.Machines;
global using Varve.Tests.Conformance.Model;
global using Varve.Tests.Shared;
global using Xunit;
