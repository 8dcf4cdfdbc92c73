global using Varve.Tests.Conformance.Machines;
global using Varve.Tests.Conformance.Model;
global using Xunit;
