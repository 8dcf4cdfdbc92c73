using Varve.Storage;

namespace Varve.Tests.Engine.Storage;

/// <summary>The managed fallback keeps the contract, but for links.</summary>
public class PortableStorageTests() : StorageContract(new PortableStorage());
